// SPDX-License-Identifier: Apache-2.0
// Runs commands in turn, round by round, and prints for each the median of wall time, CPU time and
// peak memory, and the median of the ratios to the first, each ratio taken within one round.
//   compare ROUNDS PAUSE_MS NAME=COMMAND...      a command is split at blanks
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Sample {
  double wall = 0, cpu = 0;  // milliseconds
};

struct Subject {
  std::string name;
  std::vector<std::string> words;
  std::vector<Sample> samples;
  long memory = 0;  // KiB, peak of the process itself
};

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

std::vector<char*> arguments_of(const Subject& subject) {
  std::vector<char*> arguments;
  for (const std::string& word : subject.words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  return arguments;
}

// VmHWM at the exit of the process. ru_maxrss would count the memory that it had of ours before its
// execve.
long peak_memory(const Subject& subject) {
  const std::vector<char*> arguments = arguments_of(subject);
  const pid_t child = fork();
  if (child == 0) {
    (void)ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  (void)waitpid(child, &status, 0);
  (void)ptrace(PTRACE_SETOPTIONS, child, nullptr,
               PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
  long peak = 0;
  for (int signal = 0;;) {
    (void)ptrace(PTRACE_CONT, child, nullptr, signal);
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return peak;
    const int event = status >> 16;
    signal = event == 0 ? WSTOPSIG(status) : 0;
    if (event != PTRACE_EVENT_EXIT) continue;
    std::ifstream file("/proc/" + std::to_string(child) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("VmHWM:")) peak = std::stol(line.substr(6));
    }
  }
}

Sample run(const Subject& subject) {
  const std::vector<char*> arguments = arguments_of(subject);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = vfork();
  if (child == 0) {
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
    (void)fprintf(stderr, "compare: %s failed with status %d\n", subject.name.c_str(), status);
    exit(1);
  }
  const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - begin;
  return {wall.count(), milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Value>
double median_of(const Subject& subject, Value value) {
  std::vector<double> values;
  for (const Sample& sample : subject.samples) values.push_back(value(sample));
  return median(std::move(values));
}

double median_ratio(const Subject& subject, const Subject& base) {
  std::vector<double> ratios;
  for (size_t i = 0; i < subject.samples.size(); i++) {
    ratios.push_back(subject.samples[i].wall / base.samples[i].wall);
  }
  return median(std::move(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    (void)fputs("usage: compare ROUNDS PAUSE_MS NAME=COMMAND...\n", stderr);
    return 2;
  }
  const int rounds = atoi(argv[1]);
  const auto pause = std::chrono::milliseconds(atoi(argv[2]));
  std::vector<Subject> subjects;
  for (int i = 3; i < argc; i++) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    std::istringstream words(argument.substr(equals + 1));
    Subject subject{argument.substr(0, equals), {}, {}};
    for (std::string word; words >> word;) subject.words.push_back(word);
    subjects.push_back(subject);
  }
  for (Subject& subject : subjects) subject.memory = peak_memory(subject);
  for (int round = -2; round < rounds; round++) {  // two to warm up
    for (Subject& subject : subjects) {
      std::this_thread::sleep_for(pause);
      const Sample sample = run(subject);
      if (round >= 0) subject.samples.push_back(sample);
    }
  }
  printf("%-10s %10s %10s %12s %12s\n", "", "wall ms", "CPU ms", "peak KiB", "of the first");
  for (const Subject& subject : subjects) {
    printf("%-10s %10.2f %10.2f %12ld %12.2f\n", subject.name.c_str(),
           median_of(subject, [](const Sample& sample) { return sample.wall; }),
           median_of(subject, [](const Sample& sample) { return sample.cpu; }), subject.memory,
           median_ratio(subject, subjects.front()));
  }
  return 0;
}
