// SPDX-License-Identifier: Apache-2.0
// The parts of the guest program: verbs by subject, and what they share. See guest.cc.
#pragma once

#include <span>

namespace guest {

using Arguments = std::span<char* const>;

struct Verb {
  const char* name;
  int (*run)(Arguments);
  size_t arguments;  // at least so many
};
std::span<const Verb> file_verbs();
std::span<const Verb> inside_verbs();
std::span<const Verb> process_verbs();
std::span<const Verb> seccomp_verbs();

// Prints "VERB OBJECT: ENAME" and returns the exit status 1.
int failed(const char* verb, const char* object, int error);
int failed(const char* verb, const char* object);  // with errno
// The same, or "VERB OBJECT: ok", from what a system call returned.
int report(const char* verb, const char* object, long result);
// The content of a file to standard output.
int copy_out(const char* verb, const char* path);
long number(const char* text);

}  // namespace guest
