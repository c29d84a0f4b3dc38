// SPDX-License-Identifier: Apache-2.0
// A filter may kill whoever makes a call that it forbids, so that nothing is left to say why. It is
// therefore asked about our last calls before it is loaded, by running its program here.
#include "linux/init/filter.h"

#include <linux/audit.h>
#include <sys/mman.h>

#include <cstring>

namespace onggi {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Of classic BPF what compilers of filters use.
class Interpreter {
 public:
  explicit Interpreter(const seccomp_data& data) : data_(data) {}

  // Jumps only lead forward, so it ends.
  std::optional<uint32_t> run(const sock_filter* code, size_t length) {
    for (size_t at = 0; at < length; at++) {
      const sock_filter& instruction = code[at];
      const uint32_t operand = instruction.k;
      switch (instruction.code) {
        case BPF_LD | BPF_W | BPF_ABS:
          if (operand > sizeof data_ - sizeof value_) return std::nullopt;
          memcpy(&value_, reinterpret_cast<const char*>(&data_) + operand, sizeof value_);
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          value_ &= operand;
          break;
        case BPF_JMP | BPF_JA:
          at += operand;
          break;
        case BPF_RET | BPF_K:
          return operand;
        default:
          if (BPF_CLASS(instruction.code) != BPF_JMP || BPF_SRC(instruction.code) != BPF_K)
            return std::nullopt;
          at += holds(BPF_OP(instruction.code), operand) ? instruction.jt : instruction.jf;
      }
    }
    return std::nullopt;
  }

 private:
  bool holds(unsigned comparison, uint32_t operand) const {
    switch (comparison) {
      case BPF_JEQ:
        return value_ == operand;
      case BPF_JGT:
        return value_ > operand;
      case BPF_JGE:
        return value_ >= operand;
      default:
        return (value_ & operand) != 0;  // BPF_JSET
    }
  }

  const seccomp_data& data_;
  uint32_t value_ = 0;
};

}  // namespace

Result<Filter> Filter::map(const UniqueFd& program, uint32_t flags) {
  Filter filter;
  if (!program) return filter;
  struct statx info = {};
  const long result = sys::statx(program.get(), "", AT_EMPTY_PATH, STATX_SIZE, &info);
  if (result < 0) return system_error(result, "statx", "the seccomp program");
  const long memory = sys::mmap(info.stx_size, PROT_READ, MAP_PRIVATE, program.get());
  if (memory < 0 && memory > -4096) return system_error(memory, "mmap", "the seccomp program");
  filter.code_ = reinterpret_cast<const sock_filter*>(memory);
  filter.length_ = static_cast<unsigned short>(info.stx_size / sizeof(sock_filter));
  filter.flags_ = flags;
  return filter;
}

std::optional<uint32_t> Filter::action(long call, std::initializer_list<long> arguments) const {
  if (code_ == nullptr) return SECCOMP_RET_ALLOW;
  seccomp_data data = {};
  data.nr = static_cast<int>(call);
  data.arch = kArchitecture;
  size_t index = 0;
  for (const long argument : arguments) data.args[index++] = static_cast<uint64_t>(argument);
  const std::optional<uint32_t> answer = Interpreter(data).run(code_, length_);
  if (!answer) return answer;
  return *answer & SECCOMP_RET_ACTION_FULL;
}

bool Filter::allows(long call, std::initializer_list<long> arguments) const {
  const std::optional<uint32_t> answer = action(call, arguments);
  return answer && (*answer == SECCOMP_RET_ALLOW || *answer == SECCOMP_RET_LOG);
}

// SECCOMP_RET_TRAP raises SIGSYS, which nobody catches here.
bool Filter::kills(long call, std::initializer_list<long> arguments) const {
  const std::optional<uint32_t> answer = action(call, arguments);
  return answer && (*answer == SECCOMP_RET_KILL_PROCESS || *answer == SECCOMP_RET_KILL_THREAD ||
                    *answer == SECCOMP_RET_TRAP);
}

Result<int> Filter::load() const {
  const sock_fprog program{length_, const_cast<sock_filter*>(code_)};
  const long loaded = sys::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags_, &program);
  if (loaded < 0) return at_place(system_error(loaded, "seccomp"), "linux.seccomp");
  return static_cast<int>(loaded);
}

}  // namespace onggi
