// SPDX-License-Identifier: Apache-2.0
// The C library's regular expressions are those that crun has.
#include "cli/selection.h"

#include <regex.h>

namespace onggi::cli {

Result<std::vector<std::string>> matching_ids(const RuntimeOptions& runtime,
                                              std::string_view pattern) {
  regex_t regex = {};
  const int failed = regcomp(&regex, std::string(pattern).c_str(), REG_EXTENDED | REG_NOSUB);
  if (failed != 0) {
    char why[128];
    (void)regerror(failed, &regex, why, sizeof why);
    return make_error(ErrorKind::invalid_config, "--regex '", pattern, "': ", why);
  }
  const Result<std::vector<ContainerSummary>> containers = list_containers(runtime);
  std::vector<std::string> ids;
  if (containers) {
    for (const ContainerSummary& each : containers.value()) {
      if (regexec(&regex, each.id.c_str(), 0, nullptr, 0) == 0) ids.push_back(each.id);
    }
  }
  regfree(&regex);
  if (!containers) return containers.error();
  return ids;
}

Error error_of(std::string_view id, const Error& error) {
  Error named = error;
  named.message = {};
  named.message.append(id, ": ", error.message.view());
  return named;
}

}  // namespace onggi::cli
