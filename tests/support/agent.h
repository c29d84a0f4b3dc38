// SPDX-License-Identifier: Apache-2.0
// A seccomp agent in a thread of the test: it listens where a profile says, takes the container
// process state with the listener, and answers the notified calls.
#pragma once

#include "support/bundle.h"

#include <rapidjson/document.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace onggi::test {

class SeccompAgent {
 public:
  // By number of the call: the errno that it fails with. All others go on as if there were no
  // filter.
  using Errors = std::map<int, int>;
  explicit SeccompAgent(Errors errors = {});
  ~SeccompAgent();
  SeccompAgent(const SeccompAgent&) = delete;
  SeccompAgent& operator=(const SeccompAgent&) = delete;

  std::string path() const { return (directory_.path() / "agent.sock").string(); }

  // What was sent over one connection, and how many descriptors with it.
  struct Message {
    std::string text;
    size_t descriptors = 0;
  };
  // Of each connection so far, in the order of their ends. Waits until all have been closed.
  std::vector<Message> messages();
  // The numbers of the calls that were asked about, in order.
  std::vector<int> calls();

 private:
  void serve();
  void accept();
  void receive(int connection);
  bool answer(int listener);

  ScratchDirectory directory_;
  const Errors errors_;
  int socket_, stop_[2];
  std::vector<int> listeners_;
  std::mutex mutex_;
  std::map<int, Message> connections_;
  std::vector<Message> messages_;
  std::vector<int> calls_;
  std::thread thread_;
};

}  // namespace onggi::test
