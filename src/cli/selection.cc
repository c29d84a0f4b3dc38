// SPDX-License-Identifier: Apache-2.0
#include "cli/selection.h"

#include "base/fields.h"
#include "linux/companion.h"
#include "plan/library_request.h"

namespace onggi::cli {

Result<std::vector<std::string>> matching_ids(const RuntimeOptions& runtime,
                                              std::string_view pattern) {
  const std::vector<ContainerSummary> containers = TRY(list_containers(runtime));
  plan::MatchRequest request{.pattern = pattern, .texts = {}};
  for (const ContainerSummary& each : containers) request.texts.push_back(each.id);
  CompanionCall call = TRY(CompanionCall::start(kLibsProgram, plan::encode(request)));
  const std::string matching = TRY(call.wait(-1));
  std::vector<std::string> ids;
  FieldReader fields(matching);
  while (const std::optional<std::string_view> id = fields.next()) ids.emplace_back(*id);
  return ids;
}

Error error_of(std::string_view id, const Error& error) {
  Error named = error;
  named.message = {};
  named.message.append(id, ": ", error.message.view());
  return named;
}

}  // namespace onggi::cli
