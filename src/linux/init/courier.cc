// SPDX-License-Identifier: Apache-2.0
// A profile may forbid or notify any call, so from the moment of the load on the thread that has
// the filter makes no call at all but the execve. A thread rather than a process: the program would
// be left with a child to reap. Its execve ends the thread.
#include "linux/init/courier.h"

#include "linux/socket_message.h"

#include <sched.h>

#include <atomic>
#include <ctime>

namespace onggi {
namespace {

alignas(16) char courier_stack[16 * 1024];

struct Courier {
  CourierOrder order;
  bool there = false;
  std::atomic<bool> ready{false};
  std::atomic<int> listener{-1};
  std::atomic<bool> delivered{false};
  Error error;
  std::atomic<bool> failed{false};
} courier;

// Nothing in the kernel tells of a loaded filter, and the other thread cannot: hence the polling.
void rest(long nanoseconds) {
  const timespec pause{.tv_sec = 0, .tv_nsec = nanoseconds};
  (void)sys::call(SYS_nanosleep, &pause, nullptr);
}

// Of the thread that must not make a call.
void spin() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

[[noreturn]] void end_with(const Error& error) {
  (void)send_failure(courier.order.report, error);
  sys::exit_group(1);
}

// Not before the wait is over: a real-time thread that waits without a system call lets nobody else
// run. From then on the courier must not be the lesser one, or it could not say so.
Result<> set_scheduler_of_program(const plan::Scheduler& scheduler) {
  constexpr uint32_t kHighest = 99;
  if (scheduler.policy == SCHED_FIFO || scheduler.policy == SCHED_RR) {
    plan::Scheduler own = scheduler;
    own.priority = kHighest;
    TRY(set_scheduler(own, 0));
  }
  return set_scheduler(scheduler, sys::getpid());
}

Result<> deliver(UniqueFd listener) {
  const InitContext& context = *courier.order.context;
  Message message;
  message.kind = MessageKind::listener;
  TRY(send_message(context.channel, message, listener.get()));
  // The agent's is to be the only one: when it goes away, what waits for its answer fails.
  listener.reset();
  const std::optional<Received> answer = TRY(receive_message(context.channel));
  if (!answer) sys::exit_group(1);  // the runtime knows why, or has died
  TRY(set_scheduler_of_program(context.plan.handoff.scheduler));
  return set_capabilities(context.plan.handoff.capabilities);
}

void carry(void*) {
  const CourierOrder& order = courier.order;
  constexpr long kSoon = 20'000, kLater = 500'000;
  if (order.drop) {
    const Result<> dropped = set_credentials(*order.context, order.kept);
    if (!dropped) end_with(dropped.error());
  }
  courier.ready.store(true);
  if (order.listener) {
    int listener;
    while ((listener = courier.listener.load()) < 0) rest(kSoon);
    const Result<> delivered = deliver(UniqueFd(listener));
    if (!delivered) end_with(delivered.error());
    courier.delivered.store(true);
  }
  while (!courier.failed.load()) rest(kLater);
  end_with(courier.error);
}

}  // namespace

Result<> start_courier(const CourierOrder& order) {
  courier.order = order;
  courier.ready.store(false);  // in a hook's process the memory is that of init
  clone_args arguments = {};
  arguments.flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  arguments.stack = reinterpret_cast<uintptr_t>(courier_stack);
  arguments.stack_size = sizeof courier_stack;
  const long made = sys::clone3_onto_stack(&arguments, carry, nullptr);
  if (made < 0) return at_place(system_error(made, "clone3"), "linux.seccomp");
  courier.there = true;
  while (!courier.ready.load()) rest(20'000);
  return {};
}

void forget_courier() {
  courier.there = false;
}

void hand_over(int listener) {
  courier.listener.store(listener);
  while (!courier.delivered.load()) spin();
}

[[noreturn]] void report_failure(int report, const Error& error) {
  if (!courier.there) {
    (void)send_failure(report, error);
    sys::exit_group(1);
  }
  courier.error = error;
  courier.failed.store(true);
  for (;;) spin();
}

}  // namespace onggi
