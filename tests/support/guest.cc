// SPDX-License-Identifier: Apache-2.0
// The only program in a test container's rootfs: static, and a verb for each thing a test wants to
// know or do there. Several verbs run in one go when separated by `--`. A failing verb prints "VERB
// OBJECT: ENAME" and makes the exit status 1; the verbs after it still run.
#include "support/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace guest {

int failed(const char* verb, const char* object, int error) {
  const char* name = strerrorname_np(error);
  printf("%s %s: %s\n", verb, object, name == nullptr ? "?" : name);
  return 1;
}

int failed(const char* verb, const char* object) {
  return failed(verb, object, errno);
}

long number(const char* text) {
  return strtol(text, nullptr, 0);
}

int copy_out(const char* verb, const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(verb, path);
  fflush(stdout);
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) {
    if (write(STDOUT_FILENO, buffer, static_cast<size_t>(got)) != got) break;
  }
  const int error = errno;
  close(fd);
  return got < 0 ? failed(verb, path, error) : 0;
}

int report(const char* verb, const char* object, long result) {
  if (result < 0) return failed(verb, object);
  printf("%s %s: ok\n", verb, object);
  return 0;
}

}  // namespace guest

namespace {

int run_verb(guest::Arguments words) {
  for (const auto& verbs : {guest::file_verbs(), guest::inside_verbs(), guest::process_verbs(),
                            guest::seccomp_verbs()}) {
    for (const guest::Verb& verb : verbs) {
      if (!words.empty() && strcmp(verb.name, words[0]) == 0 && words.size() > verb.arguments) {
        return verb.run(words.subspan(1));
      }
    }
  }
  fprintf(stderr, "guest: unknown verb or too few arguments: %s\n", words.empty() ? "" : words[0]);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  int first = 1;
  for (int i = 1; i <= argc; i++) {
    if (i < argc && strcmp(argv[i], "--") != 0) continue;
    status |= run_verb(guest::Arguments(argv + first, argv + i));
    fflush(stdout);
    first = i + 1;
  }
  return status;
}
