// SPDX-License-Identifier: Apache-2.0
// One blob over several connections, where one is slow: many servers and long lines give a single
// stream only a part of what there is. What comes before its turn waits in memory, so the file is
// always a beginning of the blob, hashed as it grows, and whatever happens can be taken up.
//
// Nothing is tried twice here: with the first part that fails all of them end, and the blob goes on
// as one stream, which knows of pauses and of errors.
#include "registry/blob_sink.h"
#include "registry/registry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace onggi::image {

namespace {

struct Part {
  uint64_t number, start, end;
  uint64_t size() const { return end - start; }
};

// Whose turn it is. At any time one thread has the part with which the file goes on, and that
// thread alone touches the blob.
class Order {
 public:
  Order(uint64_t start, uint64_t end, uint64_t part_size)
      : start_(start), end_(end), part_size_(part_size) {}

  std::optional<Part> take() {
    const std::scoped_lock lock(mutex_);
    const uint64_t start = start_ + next_ * part_size_;
    if (stopped_ || start >= end_) return std::nullopt;
    return Part{next_++, start, std::min(start + part_size_, end_)};
  }
  bool is_first(uint64_t number) {
    const std::scoped_lock lock(mutex_);
    return number == first_;
  }
  // False: the parts before it will not come.
  bool wait_for(uint64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || number == first_; });
    return number == first_;
  }
  void pass_on() {
    const std::scoped_lock lock(mutex_);
    ++first_;
    changed_.notify_all();
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool is_stopped() {
    const std::scoped_lock lock(mutex_);
    return stopped_;
  }

 private:
  const uint64_t start_, end_, part_size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0, first_ = 0;
  bool stopped_ = false;
};

class PartSink : public Sink {
 public:
  PartSink(Order& order, PartialBlob& blob, const Part& part)
      : order_(order), blob_(blob), part_(part) {}

  Result<> open(const Response& head) override {
    is_refused_ = head.status != 206 || !content_encoding(head).empty() ||
                  !check_range(head, blob_.descriptor(), part_.start, part_.end);
    return {};
  }

  Result<> write(std::string_view bytes) override {
    is_refused_ = bytes.size() > part_.size() - received_;
    if (is_refused_) return {};
    received_ += bytes.size();
    if (order_.is_first(part_.number)) {
      TRY(flush());
      return blob_.append(bytes);
    }
    if (waiting_.empty()) waiting_.reserve(part_.size());
    waiting_.append(bytes);
    return {};
  }

  bool is_done() const override { return is_refused_ || order_.is_stopped(); }
  bool is_refused() const { return is_refused_; }

  // True: all of the part is in the file.
  bool finish() {
    if (is_refused_ || received_ != part_.size() || !order_.wait_for(part_.number) || !flush())
      return false;
    order_.pass_on();
    return true;
  }

 private:
  Result<> flush() {
    if (waiting_.empty()) return {};
    TRY(blob_.append(waiting_));
    std::string().swap(waiting_);
    return {};
  }

  Order& order_;
  PartialBlob& blob_;
  const Part part_;
  std::string waiting_;
  uint64_t received_ = 0;
  bool is_refused_ = false;
};

}  // namespace

class Registry::Parts {
 public:
  Parts(const Url& url, PartialBlob& blob, uint64_t part_size)
      : url_(url), blob_(blob), order_(blob.size(), blob.descriptor().size, part_size) {}

  // In as many threads as there are connections.
  void fetch_by(Registry& registry) {
    while (const std::optional<Part> part = order_.take()) {
      PartSink sink(order_, blob_, *part);
      Request request;
      request.url = url_;
      request.headers = {"Range: bytes=" + std::to_string(part->start) + "-" +
                         std::to_string(part->end - 1)};
      request.sink = &sink;
      const Exchange exchange = registry.send(request, registry.scopes("pull"), Repeats::no);
      if (sink.finish()) continue;
      const bool is_answer = exchange.failure == Failure::none && exchange.status() != 206;
      if (is_answer || sink.is_refused()) is_unfit_ = true;
      order_.stop();
    }
  }

  bool is_unfit() const { return is_unfit_; }

 private:
  const Url& url_;
  PartialBlob& blob_;
  Order order_;
  std::atomic<bool> is_unfit_ = false;
};

// False: this registry does not serve parts, or not so many of them.
bool Registry::fetch_parts(const Url& url, PartialBlob& blob, uint64_t part_size, unsigned others) {
  Parts parts(url, blob, part_size);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < others; ++i) {
    threads.emplace_back([this, &parts] {
      Registry registry(access_);
      parts.fetch_by(registry);
    });
  }
  parts.fetch_by(*this);
  for (std::thread& each : threads) each.join();
  return !parts.is_unfit();
}

}  // namespace onggi::image
