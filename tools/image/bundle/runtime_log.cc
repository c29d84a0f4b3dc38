// SPDX-License-Identifier: Apache-2.0
// onggi names the field of config.json that an error is about; of the other runtimes only the text
// tells whether the program is meant.
#include "bundle/runtime_log.h"

#include "base/split.h"
#include "model/json.h"

#include <algorithm>

namespace onggi::image {
namespace {

constexpr size_t kLimit = 64u << 10;
// Of runc and crun, in front of the name of the program.
constexpr std::string_view kProgram[] = {"exec: ", "exec '", "executable file ", "open executable",
                                         "executable path "};
constexpr std::string_view kMissing[] = {"not found", "no such file or directory"};
constexpr std::string_view kRefused[] = {"permission denied", "is a directory", "not a directory",
                                         "exec format error", "operation not permitted"};

template <class Words>
bool has_any(const std::string& text, const Words& words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

int status_of(const rapidjson::Document& entry) {
  std::string message(text_member(entry, "msg"));
  // crun begins the words of strerror(3) with capitals.
  std::ranges::transform(message, message.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  const rapidjson::Value* field = member_of(entry, "field");
  const bool is_program = field != nullptr ? text_member(entry, "field").starts_with("process.args")
                                           : has_any(message, kProgram);
  if (!is_program) return kOwnFailure;
  if (has_any(message, kMissing)) return kNotFound;
  return field != nullptr || has_any(message, kRefused) ? kCannotExecute : kOwnFailure;
}

}  // namespace

std::vector<std::string> runtime_log_options(const std::string& path) {
  return {"--log", path, "--log-format", "json"};
}

std::optional<int> failure_in_runtime_log(std::string_view text) {
  std::optional<int> status;
  for (std::string_view line : lines_of(text)) {
    rapidjson::Document entry;
    if (!parse_json_object(line, "log", kLimit, entry)) continue;
    if (text_member(entry, "level") == "error") status = status_of(entry);
  }
  return status;
}

}  // namespace onggi::image
