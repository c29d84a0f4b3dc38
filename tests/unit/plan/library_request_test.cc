// SPDX-License-Identifier: Apache-2.0
// What onggi-libs is asked: what is encoded is decoded, and nothing else is.
#include "plan/library_request.h"

#include <doctest/doctest.h>

using namespace onggi;
using namespace std::string_literals;

namespace {

spec::Seccomp profile() {
  spec::Seccomp seccomp;
  seccomp.default_action = spec::SeccompAction::errno_;
  seccomp.default_errno_ret = 38;
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
  spec::SeccompSyscall& clone = seccomp.syscalls.emplace_back();
  clone.names = {"clone", "clone3"};
  clone.action = spec::SeccompAction::notify;
  clone.args = {{0, UINT64_MAX, 1, 7}, {5, 0, 0, 4}};
  spec::SeccompSyscall& read = seccomp.syscalls.emplace_back();
  read.names = {"read"};
  read.errno_ret = 0;
  return seccomp;
}

}  // namespace

TEST_CASE("a profile comes out as it went in") {
  const std::string bytes = plan::encode(profile());
  Result<plan::LibraryRequest> decoded = plan::decode_library_request(bytes);
  REQUIRE(static_cast<bool>(decoded));
  const auto* seccomp = std::get_if<spec::Seccomp>(&decoded.value());
  REQUIRE(seccomp != nullptr);
  CHECK(seccomp->default_errno_ret == 38);
  CHECK(seccomp->architectures == profile().architectures);
  REQUIRE(seccomp->syscalls.size() == 2);
  CHECK(seccomp->syscalls[0].names == profile().syscalls[0].names);
  CHECK(seccomp->syscalls[0].action == spec::SeccompAction::notify);
  CHECK_FALSE(seccomp->syscalls[0].errno_ret);
  REQUIRE(seccomp->syscalls[0].args.size() == 2);
  CHECK(seccomp->syscalls[0].args[0].value == UINT64_MAX);
  CHECK(seccomp->syscalls[0].args[1].index == 5);
  CHECK(seccomp->syscalls[1].errno_ret == 0);
  CHECK(plan::encode(*seccomp) == bytes);
}

TEST_CASE("a pattern comes out as it went in") {
  const std::string bytes = plan::encode({.pattern = "^a", .texts = {"a", "", "b c"}});
  CHECK(bytes == "match\0^a\0003\0a\0\0b c\0"s);
  Result<plan::LibraryRequest> decoded = plan::decode_library_request(bytes);
  REQUIRE(static_cast<bool>(decoded));
  const auto* request = std::get_if<plan::MatchRequest>(&decoded.value());
  REQUIRE(request != nullptr);
  CHECK(request->pattern == "^a");
  CHECK(request->texts == spec::TextList{"a", "", "b c"});
}

TEST_CASE("what no request to the libraries is encoded to is not decoded") {
  const std::string whole = plan::encode(profile());
  for (size_t size = 0; size < whole.size(); size++)
    CHECK_FALSE(plan::decode_library_request(whole.substr(0, size)));
  for (const std::string& bad :
       {whole + '\0', "grep\0a\0000\0"s, "match\0a\000x\0"s, "match\0a\0002\0b\0"s,
        "seccomp\0008\0\0000\0000\0"s, "seccomp\0001\0x\0000\0000\0"s}) {
    CHECK_FALSE(plan::decode_library_request(bad));
  }
}
