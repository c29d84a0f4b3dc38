// SPDX-License-Identifier: Apache-2.0
#include "libs/pattern.h"

#include <regex.h>

namespace onggi {

Result<spec::TextList> matching(const plan::MatchRequest& request) {
  regex_t regex = {};
  const int failed = regcomp(&regex, request.pattern.data(), REG_EXTENDED | REG_NOSUB);
  if (failed != 0) {
    char why[128];
    (void)regerror(failed, &regex, why, sizeof why);
    return make_error(ErrorKind::invalid_config, "--regex '", request.pattern, "': ", why);
  }
  spec::TextList found;
  for (spec::Text text : request.texts) {
    if (regexec(&regex, text.data(), 0, nullptr, 0) == 0) found.push_back(text);
  }
  regfree(&regex);
  return found;
}

}  // namespace onggi
