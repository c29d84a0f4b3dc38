// SPDX-License-Identifier: Apache-2.0
// A registry on the loopback that does what a test tells it to: it answers from a table of blobs
// and manifests, unless the test's own function has an answer. One request a connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace onggi::image::test {

struct Received {
  std::string method, target;                  // "/v2/team/app/blobs/sha256:..."
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool is_cut = false;  // the connection has been closed before the rest of the body
  bool has(const std::string& header) const { return headers.count(header) != 0; }
};

struct Answer {
  int status = 200;
  std::vector<std::string> headers = {};
  std::string body = {};
  // What differs from an honest transfer:
  std::optional<size_t> announced = {};  // Content-Length
  bool is_chunked = false;               // no Content-Length; the end of the connection is the end
  std::optional<size_t> sent = {};       // bytes after which the connection breaks
  bool is_endless = false;               // the body again and again
  bool is_slow = false;                  // ten bytes a second
  bool stalls = false;                   // behind `sent`, until the client gives up
};

class FakeRegistry {
 public:
  using Respond = std::function<std::optional<Answer>(const Received&)>;

  // On 127.0.0.1, or by its word on ::1.
  enum class Family { ipv4, ipv6 };
  explicit FakeRegistry(Family family = Family::ipv4);
  ~FakeRegistry();
  FakeRegistry(const FakeRegistry&) = delete;
  FakeRegistry& operator=(const FakeRegistry&) = delete;

  // "127.0.0.1:4711"
  std::string host() const {
    return (family_ == Family::ipv4 ? "127.0.0.1:" : "[::1]:") + std::to_string(port_);
  }
  std::string url(const std::string& path) const { return "http://" + host() + path; }

  // Asked before the tables, in the thread of the connection.
  void respond(Respond respond);
  // The connection of the next request with a longer body is closed behind so many bytes of it,
  // without an answer.
  void cut_next_body(size_t size) { cut_ = size; }
  // The same, but the connection stays open until the client asks for something else.
  void stall_next_body(size_t size) {
    stalls_ = true;
    cut_ = size;
  }
  // By path: "/v2/team/app/blobs/...". Ranges of them are served.
  void add(const std::string& path, const std::string& body, std::vector<std::string> headers = {});

  // So far, without the attempts to speak TLS.
  std::vector<Received> received() const;
  std::vector<Received> received(std::string_view path_part) const;
  // Connections that were open at one time.
  int most_connections() const { return most_; }

 private:
  void accept_all();
  void serve(int connection);
  Answer answer_for(const Received& request);
  Answer from_table(const Received& request) const;

  struct Entry {
    std::string body;
    std::vector<std::string> headers;
  };
  const Family family_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stops_ = false;
  std::atomic<size_t> cut_ = SIZE_MAX;
  std::atomic<bool> stalls_ = false;
  std::atomic<int> open_ = 0, most_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;  // a request
  Respond respond_;
  std::map<std::string, Entry> table_;
  std::vector<Received> received_;
  struct Connection {
    std::thread thread;
    std::atomic<bool> has_ended = false;
  };
  std::list<Connection> connections_;
  std::thread acceptor_;
};

}  // namespace onggi::image::test
