// SPDX-License-Identifier: Apache-2.0
// Runs the runtime under test ($ONGGI_RUNTIME) as an engine would: own state root, captured output,
// a time limit that kills it. The test process is a subreaper, so a container's first process
// becomes its child, as with conmon or a shim.
#pragma once

#include "support/bundle.h"

#include <rapidjson/document.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::test {

// A memory file that collects what a process writes: unlike a pipe it can be read while a container
// still holds it.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  int fd() const { return fd_; }
  std::string text() const;

 private:
  int fd_;
};

struct Outcome {
  int status = -1;  // exit status, or 128 + signal
  std::string out;
  std::string err;
  bool ok() const { return status == 0; }
};

// A system call that the kernel answers with an error, by a seccomp filter around the process and
// everything that it starts. `argument`: only calls whose argument of this index (0 to 5) has this
// value in its lower half.
struct Refusal {
  long call;
  int errnum;
  int argument = -1;
  uint32_t value = 0;
};

struct Spawn {
  std::string input = {};           // for standard input
  std::vector<int> extra_fds = {};  // become descriptors 3, 4, ...
  Strings environment = {};         // added to a small fixed environment, or in its place
  std::string directory = {};       // working directory
  int terminal = -1;                // a pty slave: becomes 0, 1, 2 and the controlling terminal
  std::vector<int> closed = {};     // descriptors among 0, 1, 2 that are closed
  std::optional<unsigned> user = std::nullopt;  // run as this uid and gid
  std::vector<Refusal> refused = {};
  std::shared_ptr<Capture> out = nullptr,
                           err = nullptr;  // given ones can be read while the process runs
};

// A process that has been started, with a limit on the time it may take.
class Process {
 public:
  Process(const Strings& argv, const Spawn& spawn = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }
  std::string output() const { return out_->text(); }
  void kill(int signal) const;
  // Waits for the end; kills the process and fails the test after the time limit.
  Outcome wait();

 private:
  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::string name_;
  std::shared_ptr<Capture> out_, err_;
};

Outcome run_program(const Strings& argv, const Spawn& spawn = {});

// What the latest process that did not succeed said, for the report of a case that fails.
struct FailedProcess {
  std::string command;
  Outcome outcome;
};
std::optional<FailedProcess>& last_failed_process();

const std::string& runtime_path();
const std::string& runtime_version();  // the first line of `--version`
const std::string& runtime_name();     // "onggi", "runc", "crun": its first word
inline bool is_onggi() {
  return runtime_name() == "onggi";
}
const std::filesystem::path& state_root();
// The words of $ONGGI_RUNTIME_OPTIONS, for suites about one way to run a runtime: --systemd-cgroup.
const Strings& runtime_options();
// RUNTIME OPTION... --root STATE_ROOT ARGUMENT...
Strings runtime_command(const Strings& arguments);
Outcome runtime(const Strings& arguments, const Spawn& spawn = {});

// $ONGGI_TIME_SCALE, at least 1: how many times longer everything may take on this host than on the
// one that the limits were chosen on (scripts/test measures it).
int time_scale();
// Polls until the condition holds; false (and a failed check by the caller) after a generous
// deadline.
bool eventually(const std::function<bool()>& condition);

// A container with an id of its own, removed by force in the end if the test has not deleted it.
class Container {
 public:
  // `global_options` stand before the command of create and run.
  explicit Container(const Bundle& bundle, Strings global_options = {});
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  const std::string& id() const { return id_; }
  Strings create_command(const Strings& options = {}) const;
  Outcome create(const Strings& options = {}, Spawn spawn = {});
  Outcome run(const Strings& options = {}, Spawn spawn = {});
  Outcome start() const { return command("start"); }
  Outcome state() const { return command("state"); }
  Outcome kill(const std::string& signal) const { return runtime({"kill", id_, signal}); }
  Outcome remove(bool force = false) const;
  // With linux.resources as a document on standard input.
  Outcome update(const std::string& resources) const;
  Outcome command(const std::string& name) const { return runtime({name, id_}); }

  // From the state document; empty or 0 when the container is unknown.
  std::string status() const;
  pid_t pid() const;
  rapidjson::Document document() const;

  // What the container's program has written so far (after `create`).
  std::string output() const { return out_->text(); }
  std::string error_output() const { return err_->text(); }
  bool wait_output(std::string_view text) const;
  bool wait_status(std::string_view status) const;
  // Exit status of the first process, as the subreaper sees it; -1 if it does not end.
  int wait_exit(pid_t pid) const;

 private:
  const Bundle& bundle_;
  Strings global_options_;
  std::string id_;
  std::shared_ptr<Capture> out_, err_;
};

// `run` with a throw-away id.
Outcome run(const Bundle& bundle, const Spawn& spawn = {});
// `create` with a throw-away id that is expected to fail.
Outcome create(const Bundle& bundle);

bool contains(std::string_view text, std::string_view part);
Strings lines(std::string_view text);
// The rest of the line that starts with these words; "<none>" when there is no such line.
std::string value_of(std::string_view text, std::string_view key);
rapidjson::Document parse_json(std::string_view text);

}  // namespace onggi::test
