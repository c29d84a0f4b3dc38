// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "registry/credential_helper.h"

#include "model/json.h"
#include "process/program.h"

namespace onggi::image {

namespace {

constexpr size_t kAnswerLimit = 64 * 1024;

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(std::string_view name,
                                                         std::string_view server, long seconds) {
  if (name.empty() || name.find('/') != name.npos) {
    return make_error(ErrorKind::invalid_config, "'", name, "' is not a credential helper's name");
  }
  const std::string program = "docker-credential-" + std::string(name);
  ProgramCall call;
  call.arguments = {program, "get"};
  call.input = std::string(server) + "\n";
  call.seconds = seconds;
  call.limit = kAnswerLimit;
  const Result<ProgramAnswer> called = call_program(call);
  if (!called) {
    return with_hint(called.error(),
                     "credHelpers or credsStore of the user's configuration names it");
  }
  const std::string& answer = called.value().output;
  if (called.value().status != 0) {
    if (answer.find("credentials not found") != answer.npos) return std::optional<Credentials>();
    return state_error(program, " fails for ", server);
  }
  rapidjson::Document json;
  TRY(parse_json_object(answer, program + "'s answer", kAnswerLimit, json));
  Credentials found = {std::string(text_member(json, "Username")), {}, {}};
  std::string& secret = found.user == "<token>" ? found.identity_token : found.password;
  secret = text_member(json, "Secret");
  return std::optional(std::move(found));
}

}  // namespace onggi::image
