// SPDX-License-Identifier: Apache-2.0
// One poll(2) over the end of init, the kernel's notice of a kill, and the time.
#include "runtime/events.h"

#include "linux/process_status.h"
#include "runtime/state_dir.h"

namespace onggi {
namespace {

int64_t milliseconds_now() {
  return sys::nanoseconds(CLOCK_MONOTONIC) / 1'000'000;
}

Result<> report_kills(cgroups::OomWatch& watch, EventSink& sink) {
  for (uint64_t kills = TRY(watch.take()); kills > 0; kills--) TRY(sink.out_of_memory());
  return {};
}

Result<Record> load_running(const RuntimeOptions& runtime, std::string_view id) {
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  Record record = TRY(directory.load());
  if (TRY(status_of(directory, record)) == Status::stopped)
    return state_error("container not running");
  return record;
}

}  // namespace

Result<cgroups::Stats> container_stats(const RuntimeOptions& runtime, std::string_view id) {
  const Record record = TRY(load_running(runtime, id));
  return cgroups::read_stats(record.cgroup);
}

Result<> watch_container(const RuntimeOptions& runtime, std::string_view id, int64_t interval,
                         EventSink& sink) {
  const Record record = TRY(load_running(runtime, id));
  const std::optional<UniqueFd> process = TRY(open_process(record.pid, record.start_time));
  if (!process) return state_error("container not running");
  std::optional<cgroups::OomWatch> oom = TRY(cgroups::OomWatch::open(record.cgroup));
  int64_t due = milliseconds_now();
  for (;;) {
    const int64_t left = due - milliseconds_now();
    if (left <= 0) {
      const cgroups::Stats stats = TRY(cgroups::read_stats(record.cgroup));
      TRY(sink.stats(stats));
      due += interval;
      continue;
    }
    pollfd polled[] = {
        {.fd = process->get(), .events = POLLIN, .revents = 0},
        {.fd = oom ? oom->fd() : -1, .events = oom ? oom->events() : short{0}, .revents = 0}};
    const timespec limit{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000};
    const long ready = sys::retry(SYS_ppoll, &polled[0], 2, &limit, nullptr, 0);
    if (ready < 0) return system_error(ready, "poll");
    // First: what was killed may have been init.
    if (oom && polled[1].revents != 0) TRY(report_kills(*oom, sink));
    if (polled[0].revents == 0) continue;
    return oom ? report_kills(*oom, sink) : Result<>();
  }
}

}  // namespace onggi
