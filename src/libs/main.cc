// SPDX-License-Identifier: Apache-2.0
// onggi-libs: one request on standard input (plan/library_request.h), one answer on standard output
// (base/answer.h). Executed by onggi, which has neither libseccomp nor a C library; not for people
// to call.
#include "base/answer.h"
#include "base/fields.h"
#include "libs/pattern.h"
#include "libs/seccomp.h"

namespace onggi {
namespace {

Result<std::string> answer_of(const spec::Seccomp& seccomp) {
  return bytes_of(TRY(compile_seccomp(seccomp)));
}

Result<std::string> answer_of(const plan::MatchRequest& request) {
  std::string bytes;
  for (spec::Text text : TRY(matching(request))) add_field(bytes, text);
  return bytes;
}

Result<std::string> answer_to(std::string_view bytes) {
  const plan::LibraryRequest request = TRY(plan::decode_library_request(bytes));
  return std::visit([](const auto& asked) { return answer_of(asked); }, request);
}

}  // namespace
}  // namespace onggi

int main() {
  return onggi::answer_one(onggi::answer_to);
}
