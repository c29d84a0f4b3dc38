// SPDX-License-Identifier: Apache-2.0
// One write for an answer that fits into a pipe, which ours all do: a reader is woken once.
#include "base/answer.h"

#include "base/file.h"

namespace onggi {
namespace {

constexpr size_t kLongestRequest = 16 << 20;  // a configuration has at most 4 MiB
constexpr int kInput = 0, kOutput = 1;

}  // namespace

std::string encode_answer(const Result<std::string>& result) {
  Answer answer;
  if (result) {
    answer.failed = 0;
    answer.size = static_cast<uint32_t>(result.value().size());
  } else {
    answer.error = result.error();
  }
  std::string bytes(reinterpret_cast<const char*>(&answer), sizeof answer);
  if (result) bytes += result.value();
  return bytes;
}

int answer_one(Result<std::string> (*answer_to)(std::string_view request)) {
  const Result<std::string> request = read_all(kInput, "request", kLongestRequest);
  const Result<std::string> result = request ? answer_to(request.value()) : request.error();
  return write_all(kOutput, "answer", encode_answer(result)) ? 0 : 1;
}

}  // namespace onggi
