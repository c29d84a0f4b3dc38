// SPDX-License-Identifier: Apache-2.0
// One request to a companion program: what libraries of others do for us is done by a process of
// its own, which is only there while it is needed (docs/adr/008-libraries-in-companions.md).
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/clone.h"
#include "linux/embedded.h"

#include <string>
#include <string_view>

namespace onggi {

// A call that is under way. Ends with us; destroyed before wait(), it is given up.
class CompanionCall {
 public:
  static Result<CompanionCall> start(const EmbeddedProgram& program, std::string_view request);
  CompanionCall(CompanionCall&& other) noexcept = default;
  CompanionCall& operator=(CompanionCall&&) = delete;
  ~CompanionCall();

  // The bytes of the answer, or its error. Only once. `signals` is a descriptor of block_signals()
  // or -1: one that would have ended us ends the wait with an error.
  Result<std::string> wait(int signals);

 private:
  CompanionCall(const EmbeddedProgram& program, Child child, UniqueFd answer)
      : program_(&program), child_(std::move(child)), answer_(std::move(answer)) {}
  Result<bool> read_fully(char* to, size_t size, int signals);
  Error no_answer();
  int end();

  const EmbeddedProgram* program_;
  Child child_;
  UniqueFd answer_;
};

}  // namespace onggi
