// SPDX-License-Identifier: Apache-2.0
// The floor of --systemd-cgroup: what systemd alone takes for a scope with one process, asked over
// its private socket.
//   unit create ID PID-FILE      StartTransientUnit, for a process that sleeps
//   unit delete ID               StopUnit
#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace {

constexpr const char* kSocket = "unix:path=/run/systemd/private";
constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

int must(const char* what, int result) {
  if (result >= 0) return result;
  (void)fprintf(stderr, "unit: %s: %s\n", what, strerror(-result));
  _exit(1);
}

std::string removed_job;

int on_job_removed(sd_bus_message* message, void*, sd_bus_error*) {
  const char* job = nullptr;
  if (sd_bus_message_read(message, "uoss", nullptr, &job, nullptr, nullptr) >= 0) removed_job = job;
  return 0;
}

// Heard before the job is asked for, so its end cannot be missed.
sd_bus* connect() {
  sd_bus* bus = nullptr;
  must("sd_bus_new", sd_bus_new(&bus));
  must("address", sd_bus_set_address(bus, kSocket));
  must("connect", sd_bus_start(bus));
  must("JobRemoved", sd_bus_match_signal(bus, nullptr, nullptr, kPath, kManager, "JobRemoved",
                                         on_job_removed, nullptr));
  return bus;
}

void await_job(sd_bus* bus, sd_bus_message* reply) {
  const char* job = nullptr;
  must("reply", sd_bus_message_read(reply, "o", &job));
  while (removed_job != job) {
    if (must("process", sd_bus_process(bus, nullptr)) == 0)
      must("wait", sd_bus_wait(bus, UINT64_MAX));
  }
}

pid_t start_sleeper() {
  const pid_t child = fork();
  if (child != 0) return child;
  (void)execl("/bin/busybox", "sleep", "100000", nullptr);
  _exit(127);
}

int create(char** words) {
  sd_bus* bus = connect();
  const pid_t child = start_sleeper();
  FILE* file = fopen(words[1], "we");
  if (file == nullptr || fprintf(file, "%d", child) < 0 || fclose(file) != 0)
    must(words[1], -errno);
  sd_bus_message* reply = nullptr;
  must("StartTransientUnit",
       sd_bus_call_method(bus, kService, kPath, kManager, "StartTransientUnit", nullptr, &reply,
                          "ssa(sv)a(sa(sv))", (std::string(words[0]) + ".scope").c_str(), "fail", 1,
                          "PIDs", "au", 1, static_cast<unsigned>(child), 0));
  await_job(bus, reply);
  return 0;
}

int remove(char** words) {
  sd_bus* bus = connect();
  sd_bus_message* reply = nullptr;
  must("StopUnit", sd_bus_call_method(bus, kService, kPath, kManager, "StopUnit", nullptr, &reply,
                                      "ss", (std::string(words[0]) + ".scope").c_str(), "fail"));
  await_job(bus, reply);
  return 0;
}

struct Verb {
  const char* name;
  int words;
  int (*function)(char** words);
};
constexpr Verb kVerbs[] = {{"create", 2, create}, {"delete", 1, remove}};

}  // namespace

int main(int argc, char** argv) {
  for (const Verb& verb : kVerbs) {
    if (argc == verb.words + 2 && strcmp(argv[1], verb.name) == 0) return verb.function(argv + 2);
  }
  (void)fputs("usage: unit create ID PID-FILE | delete ID\n", stderr);
  return 2;
}
