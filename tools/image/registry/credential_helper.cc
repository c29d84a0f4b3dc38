// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "registry/credential_helper.h"

#include "model/json.h"
#include "process/program.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace onggi::image {

namespace {

constexpr size_t kAnswerLimit = 64u << 10;

struct Helper {
  std::string program;
  long seconds;
};

Result<Helper> find_helper(std::string_view name, long seconds) {
  if (name.empty() || name.find('/') != name.npos) {
    return make_error(ErrorKind::invalid_config, "'", name,
                      "' is not a valid credential helper name");
  }
  return Helper{"docker-credential-" + std::string(name), seconds};
}

// Nothing: it knows no such server.
Result<std::optional<std::string>> call_helper(const Helper& helper, const char* command,
                                               std::string_view server, std::string input) {
  ProgramCall call;
  call.arguments = {helper.program, command};
  call.input = std::move(input);
  call.seconds = helper.seconds;
  call.limit = kAnswerLimit;
  Result<ProgramAnswer> called = call_program(call);
  if (!called) {
    return with_hint(called.error(),
                     "credHelpers or credsStore of the user's configuration names it");
  }
  std::string& answer = called.value().output;
  if (called.value().status == 0) return std::optional(std::move(answer));
  if (answer.find("credentials not found") != answer.npos) return std::optional<std::string>();
  return state_error(helper.program, " failed for ", server);
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(std::string_view name,
                                                         std::string_view server, long seconds) {
  const Helper helper = TRY(find_helper(name, seconds));
  const auto answer = TRY(call_helper(helper, "get", server, std::string(server) + "\n"));
  if (!answer) return std::optional<Credentials>();
  rapidjson::Document json;
  TRY(parse_json_object(*answer, helper.program + "'s answer", kAnswerLimit, json));
  Credentials found = {std::string(text_member(json, "Username")), {}, {}};
  std::string& secret = found.user == "<token>" ? found.identity_token : found.password;
  secret = text_member(json, "Secret");
  return std::optional(std::move(found));
}

Result<> store_by_credential_helper(std::string_view name, std::string_view server,
                                    const Credentials& credentials, long seconds) {
  const Helper helper = TRY(find_helper(name, seconds));
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto add = [&writer](std::string_view key, std::string_view value) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  add("ServerURL", server);
  add("Username", credentials.user);
  add("Secret", credentials.password);
  writer.EndObject();
  TRY(call_helper(helper, "store", server, std::string(buffer.GetString(), buffer.GetSize())));
  return {};
}

Result<bool> erase_by_credential_helper(std::string_view name, std::string_view server,
                                        long seconds) {
  const Helper helper = TRY(find_helper(name, seconds));
  const auto answer = TRY(call_helper(helper, "erase", server, std::string(server) + "\n"));
  return answer.has_value();
}

}  // namespace onggi::image
