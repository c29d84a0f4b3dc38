// SPDX-License-Identifier: Apache-2.0
// The client under test beside a fake registry, with a clock that does not wait and files that are
// gone in the end.
#pragma once

#include "fake_registry.h"
#include "registry/registry.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace onggi::image::test {

class TestClock : public Clock {
 public:
  int64_t milliseconds() override { return now += step; }
  int64_t unix_seconds() override { return 784'111'777; }  // Sun, 06 Nov 1994 08:49:37 GMT
  void sleep(int64_t milliseconds, std::string_view reason) override {
    pauses.push_back(milliseconds);
    reasons.emplace_back(reason);
  }
  std::atomic<int64_t> now = 0;
  std::atomic<int64_t> step = 0;  // of each look at it
  std::vector<int64_t> pauses;
  std::vector<std::string> reasons;
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = "/tmp/onggi-image-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
    directory_ = UniqueFd(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  int fd() const { return directory_.get(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      found.push_back(entry.path().filename());
    return found;
  }

 private:
  std::string path_;
  UniqueFd directory_;
};

inline std::string text_of(const Error& error) {
  return std::string(error.place.view()) + " " + std::string(error.message.view()) + " " +
         std::string(error.hint.view());
}

inline bool says(const Error& error, std::string_view part) {
  const std::string text = text_of(error);
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("the error is: " << text);
  return false;
}

// Of team/app in a fake registry.
class Client {
 public:
  explicit Client(const FakeRegistry& server, const std::string& authfile = "/nonexistent",
                  long stall_seconds = 30)
      : access_(parse_reference(server.host() + "/team/app").value(),
                AccessOptions{{{}, stall_seconds}, {{authfile}, 5}, false}, clock),
        registry(access_) {}

 private:
  HttpLibrary library_;

 public:
  TestClock clock;

 private:
  Access access_;

 public:
  Registry registry;
};

inline Descriptor descriptor_of(const std::string& bytes) {
  Descriptor descriptor;
  descriptor.digest = digest_of(bytes);
  descriptor.size = bytes.size();
  return descriptor;
}

inline std::string blob_path(const std::string& bytes) {
  return "/v2/team/app/blobs/" + digest_of(bytes).text();
}

// Bytes in which every part differs from every other.
inline std::string noise(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace onggi::image::test
