// SPDX-License-Identifier: Apache-2.0
// The way of a filter's listener to the runtime, and from there to the agent. A profile may notify
// any call, and until the agent has the listener a notified call waits for ever; so from the
// moment of the load on the thread that has the filter makes no call at all, and a second thread,
// which the filter does not cover, carries the descriptor. A thread rather than a process: the
// program would be left with a child to reap. Its execve ends the thread.
#include "linux/init/context.h"
#include "linux/socket_message.h"

#include <sched.h>

#include <atomic>
#include <ctime>

namespace onggi {
namespace {

alignas(16) char courier_stack[16 * 1024];

struct Delivery {
  const InitContext* context = nullptr;
  std::atomic<int> listener{-1};
  std::atomic<bool> done{false};
} delivery;

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

Result<> deliver(int listener) {
  const InitContext& context = *delivery.context;
  Message message;
  message.kind = MessageKind::listener;
  TRY(send_message(context.channel, message, listener));
  const std::optional<Received> answer = TRY(receive_message(context.channel));
  if (!answer) sys::exit_group(1);  // the runtime knows why, or has died
  return set_scheduler_of_program(context.plan.handoff.scheduler);
}

void carry(void*) {
  // Nothing in the kernel tells of a loaded filter, and the other thread cannot: hence the polling,
  // for the millisecond that loading takes.
  const timespec pause{.tv_sec = 0, .tv_nsec = 20000};
  int listener;
  while ((listener = delivery.listener.load()) < 0) (void)sys::call(SYS_nanosleep, &pause, nullptr);
  const Result<> delivered = deliver(listener);
  if (!delivered) {
    (void)send_failure(delivery.context->channel, delivered.error());
    sys::exit_group(1);
  }
  delivery.done.store(true);
  for (;;) (void)sys::call(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
}

}  // namespace

Result<> start_courier(const InitContext& context) {
  delivery.context = &context;
  clone_args arguments = {};
  arguments.flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  arguments.stack = reinterpret_cast<uintptr_t>(courier_stack);
  arguments.stack_size = sizeof courier_stack;
  const long made = sys::clone3_onto_stack(&arguments, carry, nullptr);
  if (made < 0) return at_place(system_error(made, "clone3"), "linux.seccomp.listenerPath");
  return {};
}

void hand_over(int listener) {
  delivery.listener.store(listener);
  while (!delivery.done.load()) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
  }
}

}  // namespace onggi
