// SPDX-License-Identifier: Apache-2.0
#include "libs/sibling.h"

#include "base/file.h"

#include <unistd.h>

#include <cstring>
#include <utility>

namespace onggi {
namespace {

constexpr size_t kLongestResult = 1 << 20;

}  // namespace

Result<UniqueFd> Sibling::fork() {
  int pipe[2];
  const long piped = sys::call(SYS_pipe2, &pipe[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  result_.reset(pipe[0]);
  UniqueFd output(pipe[1]);
  pid_ = ::fork();  // not the bare call: the library's own memory has to be in order
  if (pid_ < 0) return system_error(-errno, "fork");
  if (pid_ > 0) output.reset();
  return output;
}

void Sibling::end_with(const Result<std::string>& result, const UniqueFd& output) {
  const Result<> written = write_all(output.get(), "answer", encode_answer(result));
  _exit(written ? 0 : 1);
}

Sibling::~Sibling() {
  result_.reset();
  int status;
  if (pid_ > 0) (void)sys::waitpid(pid_, status);
}

Result<std::string> Sibling::wait() {
  const std::string bytes = TRY(read_all(result_.get(), "answer", kLongestResult));
  Answer answer;
  if (bytes.size() < sizeof answer)
    return make_error(ErrorKind::system, "a process that compiles a part of it died");
  memcpy(&answer, bytes.data(), sizeof answer);
  if (answer.failed != 0) return answer.error;
  return bytes.substr(sizeof answer);
}

}  // namespace onggi
