// SPDX-License-Identifier: Apache-2.0
// The ways in which a companion may end, with a shell in the place of one.
#include "linux/companion.h"

#include "base/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

using namespace onggi;

namespace {

// A shell, whose script is the request.
class Shell {
 public:
  CompanionCall start(std::string_view script) const {
    Result<CompanionCall> call = CompanionCall::start(program_, script);
    REQUIRE(static_cast<bool>(call));
    return std::move(call).value();
  }

 private:
  static std::string content() {
    const Result<std::string> content = read_file(AT_FDCWD, "/bin/sh", 64 << 20);
    REQUIRE(static_cast<bool>(content));
    return content.value();
  }
  std::string bytes_ = content();
  EmbeddedProgram program_ = {.name = "sh",
                              .begin = bytes_.data(),
                              .end = bytes_.data() + bytes_.size(),
                              .installed = "",
                              .needs = "its cure"};
};

bool no_child_is_left() {
  return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

}  // namespace

TEST_CASE("a companion that gives no answer is named, with how it has ended") {
  const Shell shell;
  for (const auto& [script, message] :
       {std::pair("exit 3", "sh exited without an answer: exit status 3"),
        std::pair("echo no whole answer", "sh exited without an answer: exit status 0"),
        std::pair("kill -KILL $$", "sh exited without an answer: ended by signal 9")}) {
    CompanionCall call = shell.start(script);
    const Result<std::string> answer = call.wait(-1);
    REQUIRE_FALSE(static_cast<bool>(answer));
    CHECK(answer.error().message.view() == message);
    CHECK(answer.error().hint.view() == "its cure");
    CHECK(no_child_is_left());
  }
}

TEST_CASE("a request that is none is an error, not an end") {
  Result<CompanionCall> call = CompanionCall::start(kLibsProgram, "no request");
  REQUIRE(static_cast<bool>(call));
  const Result<std::string> answer = call->wait(-1);
  REQUIRE_FALSE(static_cast<bool>(answer));
  CHECK(answer.error().message.view() == "onggi-libs: invalid request");
}

TEST_CASE("a signal that would have ended us ends the wait for a companion") {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  REQUIRE(sigprocmask(SIG_BLOCK, &terminate, nullptr) == 0);
  const int signals = signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK);
  REQUIRE(signals >= 0);
  REQUIRE(raise(SIGTERM) == 0);
  {
    CompanionCall call = Shell().start("exec sleep 1000");
    const Result<std::string> answer = call.wait(signals);
    REQUIRE_FALSE(static_cast<bool>(answer));
    CHECK(answer.error().message.view() == "interrupted by signal 15");
  }
  close(signals);
  REQUIRE(sigprocmask(SIG_UNBLOCK, &terminate, nullptr) == 0);
  CHECK(no_child_is_left());
}
