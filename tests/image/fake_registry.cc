// SPDX-License-Identifier: Apache-2.0
// A thread that accepts, and one for each connection; all end with the object.
#include "fake_registry.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace onggi::image::test {

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(tolower(c));
  return text;
}

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Up to `size` more bytes, or what comes until `until` is in it; waits a second at most.
bool read_more(int connection, std::string& text) {
  pollfd readable = {connection, POLLIN, 0};
  if (poll(&readable, 1, 10'000) <= 0) return false;
  char buffer[65536];
  const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
  if (count <= 0) return false;
  text.append(buffer, static_cast<size_t>(count));
  return true;
}

std::optional<Received> read_request(int connection, std::atomic<size_t>& cut) {
  std::string text;
  size_t end = std::string::npos;
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(connection, text) || text[0] == 0x16) return std::nullopt;  // TLS hello
  }
  Received request;
  const std::string head = text.substr(0, end + 2);
  const size_t line = head.find("\r\n");
  const size_t first = head.find(' '), second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (size_t at = line + 2; at < head.size();) {
    const size_t stop = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    if (colon < stop)
      request.headers[lower(head.substr(at, colon - at))] =
          head.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  request.body = text.substr(end + 4);
  const size_t length =
      request.has("content-length") ? std::stoul(request.headers["content-length"]) : 0;
  size_t wanted = length;
  if (size_t limit = cut; limit < length && cut.compare_exchange_strong(limit, SIZE_MAX)) {
    wanted = limit;
    request.is_cut = true;
  }
  while (request.body.size() < wanted && read_more(connection, request.body)) {
  }
  if (request.is_cut) request.body.resize(std::min(request.body.size(), wanted));
  return request;
}

// Until the other end has closed the connection.
void wait_for_end(int connection) {
  std::string ignored;
  while (read_more(connection, ignored)) ignored.clear();
}

std::string head_of(const Answer& answer) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Text\r\nConnection: close\r\n";
  for (const std::string& line : answer.headers) head += line + "\r\n";
  if (!answer.is_chunked && !answer.is_endless)
    head +=
        "Content-Length: " + std::to_string(answer.announced.value_or(answer.body.size())) + "\r\n";
  return head + "\r\n";
}

}  // namespace

FakeRegistry::FakeRegistry(Family family) : family_(family) {
  const bool is_ipv4 = family == Family::ipv4;
  listener_ = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address6 = {};
  address6.sin6_family = AF_INET6;
  address6.sin6_addr = in6addr_loopback;
  sockaddr_in address4 = {};
  address4.sin_family = AF_INET;
  address4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = is_ipv4 ? sizeof address4 : sizeof address6;
  auto* generic =
      is_ipv4 ? reinterpret_cast<sockaddr*>(&address4) : reinterpret_cast<sockaddr*>(&address6);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no socket on the loopback");
  port_ = ntohs(is_ipv4 ? address4.sin_port : address6.sin6_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeRegistry::~FakeRegistry() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
    arrived_.notify_all();
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (Connection& each : connections_) each.thread.join();
  close(listener_);
}

void FakeRegistry::respond(Respond respond) {
  const std::lock_guard lock(mutex_);
  respond_ = std::move(respond);
}

void FakeRegistry::add(const std::string& path, const std::string& body,
                       std::vector<std::string> headers) {
  const std::lock_guard lock(mutex_);
  table_[path] = {body, std::move(headers)};
}

std::vector<Received> FakeRegistry::received() const {
  return received("");
}

std::vector<Received> FakeRegistry::received(std::string_view path_part) const {
  const std::lock_guard lock(mutex_);
  std::vector<Received> found;
  std::ranges::copy_if(received_, std::back_inserter(found), [&](const Received& request) {
    return request.target.find(path_part) != std::string::npos;
  });
  return found;
}

void FakeRegistry::accept_all() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    // Of thousands, the stacks of those that have ended would slow down every fork of the test.
    std::erase_if(connections_, [](Connection& each) {
      const bool has_ended = each.has_ended;
      if (has_ended) each.thread.join();
      return has_ended;
    });
    Connection& added = connections_.emplace_back();
    added.thread = std::thread([this, connection, &added] {
      const int now = ++open_;
      for (int most = most_; most < now && !most_.compare_exchange_weak(most, now);) {
      }
      serve(connection);
      --open_;
      shutdown(connection, SHUT_RDWR);
      close(connection);
      added.has_ended = true;
    });
  }
}

void FakeRegistry::serve(int connection) {
  const std::optional<Received> request = read_request(connection, cut_);
  if (!request) {
    (void)send_all(connection, "HTTP/1.0 400 Bad Request\r\n\r\n");
    return;
  }
  const Answer answer = answer_for(*request);
  if (request->is_cut && stalls_.exchange(false)) {
    std::unique_lock lock(mutex_);
    const size_t count = received_.size();
    arrived_.wait(lock, [&] { return stops_ || received_.size() > count; });
  }
  if (request->is_cut || !send_all(connection, head_of(answer)) || request->method == "HEAD")
    return;
  const std::string_view body =
      std::string_view(answer.body).substr(0, answer.sent.value_or(answer.body.size()));
  if (answer.is_slow) {
    for (size_t at = 0; at < body.size() && !stops_; ++at) {
      if (!send_all(connection, body.substr(at, 1))) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return;
  }
  while (send_all(connection, body) && answer.is_endless && !stops_) {
  }
  if (answer.stalls) wait_for_end(connection);
}

Answer FakeRegistry::answer_for(const Received& request) {
  Respond respond;
  {
    const std::lock_guard lock(mutex_);
    received_.push_back(request);
    arrived_.notify_all();
    respond = respond_;
  }
  if (respond) {
    if (auto answer = respond(request)) return *answer;
  }
  return from_table(request);
}

Answer FakeRegistry::from_table(const Received& request) const {
  if (request.target == "/v2/") return {};
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(request.target);
  if (found == table_.end()) {
    return {404, {}, R"({"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]})"};
  }
  const auto& [body, headers] = found->second;
  if (!request.has("range")) return {200, headers, body};
  const std::string range = request.headers.at("range").substr(6);  // "bytes=100-" or "bytes=0-99"
  const size_t start = std::stoul(range);
  if (start >= body.size()) return {416, {}, "no such range", body.size()};
  const std::string last = range.substr(range.find('-') + 1);
  const size_t end = last.empty() ? body.size() : std::min(body.size(), std::stoul(last) + 1);
  Answer answer = {206, headers, body.substr(start, end - start)};
  answer.headers.push_back("Content-Range: bytes " + std::to_string(start) + "-" +
                           std::to_string(end - 1) + "/" + std::to_string(body.size()));
  return answer;
}

}  // namespace onggi::image::test
