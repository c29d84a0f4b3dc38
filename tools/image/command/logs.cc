// SPDX-License-Identifier: Apache-2.0
// Whoever follows a log sleeps until the kernel says that it was written to (inotify(7)), or that
// its writer has closed it. Neither a lock of the store nor one of the container is held.
#include "command/logs.h"

#include "base/file.h"
#include "base/utc.h"
#include "bundle/container.h"
#include "commandline/duration.h"
#include "process/log_lines.h"
#include "process/log_time.h"
#include "process/user_namespace.h"
#include "store/lock.h"

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace onggi::image {
namespace {

constexpr size_t kPortion = 256u << 10;

struct Selection {
  std::string since, until;      // times as in the log; empty: no limit
  std::optional<uint64_t> tail;  // lines
  bool timestamps = false;
};

// Also how long ago, as "10m".
Result<std::string> read_time(std::string_view option, const std::string& text) {
  if (text.empty()) return std::string();
  const bool is_number = text.find_first_not_of("0123456789.") == text.npos;
  if (std::optional<std::string> time = parse_log_time(text)) return std::move(*time);
  const std::optional<int64_t> ago = is_number ? std::nullopt : cli::parse_duration(text);
  if (!ago) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "--", option, " '", text, "' is not a valid time"),
        "use a time such as 2026-11-30T06:07:33Z, or a duration such as 10m");
  }
  const int64_t then = sys::nanoseconds(CLOCK_REALTIME) - *ago * 1'000'000;
  return utc_text({then / 1'000'000'000, then % 1'000'000'000}, Precision::nanoseconds);
}

Result<Selection> read_selection(const LogsOptions& options) {
  Selection selection;
  selection.since = TRY(read_time("since", options.since));
  selection.until = TRY(read_time("until", options.until));
  selection.timestamps = options.timestamps;
  if (options.tail.empty() || options.tail == "all") return selection;
  selection.tail = parse_decimal<uint64_t>(options.tail);
  if (selection.tail) return selection;
  return with_hint(
      make_error(ErrorKind::invalid_config, "--tail '", options.tail, "' is not a number of lines"),
      "use a number or 'all'");
}

// Prints what the log says, on the stream that it came from.
class Printer {
 public:
  explicit Printer(Selection selection) : selection_(std::move(selection)) {}

  bool selects(const LogPiece& piece) const {
    return (selection_.since.empty() || piece.time >= selection_.since) &&
           (selection_.until.empty() || piece.time < selection_.until);
  }

  // Whole lines of the log.
  Result<> print(std::string_view log) {
    while (!log.empty()) {
      const size_t end = std::min(log.find('\n'), log.size());
      LogPiece piece;
      if (parse_log_line(log.substr(0, end), piece) && selects(piece)) TRY(add(piece));
      log.remove_prefix(std::min(end + 1, log.size()));
    }
    return flush();
  }

 private:
  Result<> add(const LogPiece& piece) {
    if (piece.stream != stream_ || text_.size() >= kPortion) TRY(flush());
    stream_ = piece.stream;
    bool& within = is_within_line_[static_cast<size_t>(piece.stream)];
    if (selection_.timestamps && !within) text_.append(piece.time).append(" ");
    text_.append(piece.text).append(piece.ends_line ? "\n" : "");
    within = !piece.ends_line;
    return {};
  }

  Result<> flush() {
    const bool is_error = stream_ == LogStream::error;
    TRY(write_all(is_error ? STDERR_FILENO : STDOUT_FILENO,
                  is_error ? "standard error" : "standard output", text_));
    text_.clear();
    return {};
  }

  Selection selection_;
  LogStream stream_ = LogStream::output;
  bool is_within_line_[2] = {false, false};
  std::string text_;
};

// A file's first `size` bytes in memory, page by page as they are looked at.
class MappedFile {
 public:
  static Result<MappedFile> open(int file, size_t size) {
    if (size == 0) return MappedFile(nullptr, 0);
    void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) return system_error(-errno, "mmap", "log");
    return MappedFile(bytes, size);
  }
  MappedFile(MappedFile&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(other.size_) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (bytes_ != nullptr) (void)munmap(bytes_, size_);
  }
  std::string_view text() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  MappedFile(void* bytes, size_t size) : bytes_(bytes), size_(size) {}
  void* bytes_;
  size_t size_;
};

// The lines of the time that is asked for, and of them the last.
std::string_view select(std::string_view log, const Printer& printer,
                        const std::optional<uint64_t>& tail) {
  if (!tail) return log;
  size_t begin = log.size(), end = 0;
  for (size_t at = 0; at < log.size();) {
    const size_t stop = std::min(log.find('\n', at), log.size());
    LogPiece piece;
    if (parse_log_line(log.substr(at, stop - at), piece) && printer.selects(piece)) {
      begin = std::min(begin, at);
      end = std::min(stop + 1, log.size());
    }
    at = stop + 1;
  }
  if (end <= begin) return {};
  log = log.substr(begin, end - begin);
  return log.substr(find_last_lines(log, *tail));
}

class Follower {
 public:
  Follower(int log, int64_t offset, Printer& printer)
      : log_(log), offset_(offset), printer_(printer) {}

  // Before the log's end is looked for: nothing that is written later is missed then.
  Result<> watch() {
    events_ = UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!events_) return system_error(-errno, "inotify_init");
    const std::string path = "/proc/self/fd/" + std::to_string(log_);
    if (inotify_add_watch(events_.get(), path.c_str(), IN_MODIFY | IN_CLOSE_WRITE) < 0)
      return system_error(-errno, "inotify_add_watch", "log");
    return {};
  }

  Result<> follow() {
    bool has_writer = !TRY(try_lock(log_, LockKind::shared, "log"));
    if (!has_writer) (void)flock(log_, LOCK_UN);
    for (;;) {
      TRY(print_new());
      if (!has_writer) return {};
      // Nobody reads any more what would be printed.
      pollfd waits[] = {{events_.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
      if (poll(waits, 2, -1) < 0 && errno != EINTR) return system_error(-errno, "poll");
      if ((waits[1].revents & POLLERR) != 0) return {};
      if (TRY(was_closed())) has_writer = false;
    }
  }

 private:
  Result<bool> was_closed() {
    alignas(inotify_event) char buffer[4096];
    bool is_closed = false;
    for (;;) {
      const long size = sys::read(events_.get(), buffer, sizeof buffer);
      if (size == -EAGAIN || size == 0) return is_closed;
      if (size < 0) return system_error(size, "read", "inotify");
      for (long at = 0; at < size;) {
        inotify_event event;
        __builtin_memcpy(&event, buffer + at, sizeof event);
        is_closed |= (event.mask & IN_CLOSE_WRITE) != 0;
        at += static_cast<long>(sizeof event + event.len);
      }
    }
  }

  Result<> print_new() {
    std::string portion(kPortion, 0);
    for (;;) {
      const long size = sys::pread(log_, portion.data(), portion.size(), offset_);
      if (size < 0) return system_error(size, "read", "log");
      if (size == 0) return {};
      offset_ += size;
      pending_.append(portion, 0, static_cast<size_t>(size));
      const size_t whole = pending_.rfind('\n') + 1;  // npos: 0
      TRY(printer_.print(std::string_view(pending_).substr(0, whole)));
      pending_.erase(0, whole);
    }
  }

  int log_;
  int64_t offset_;
  Printer& printer_;
  UniqueFd events_;
  std::string pending_;
};

Result<UniqueFd> open_log(const std::string& root, const std::string& id) {
  const Store store = TRY(Store::open(root, LockKind::shared));
  const UniqueFd directory = TRY(open_container_directory(store, id));
  const long opened = sys::openat(directory.get(), "log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (opened == -ENOENT) {
    return with_hint(state_error("the container has no log"),
                     "only containers started with run --detach or start have a log");
  }
  if (opened < 0) return system_error(opened, "open", "log");
  return UniqueFd(opened);
}

}  // namespace

Result<int> logs_command(const Context& context, const LogsOptions& options) {
  const Selection selection = TRY(read_selection(options));
  if (options.follow && !options.until.empty()) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "--until cannot be combined with --follow"),
        "remove one of them");
  }
  TRY(enter_user_namespace());
  const UniqueFd log = TRY(open_log(context.global.root, std::string(context.operands[0])));
  Printer printer(selection);
  // What a writer is about to write may be there in part.
  int64_t size = 0;
  {
    const long end = sys::lseek(log.get(), 0, SEEK_END);
    if (end < 0) return system_error(end, "lseek", "log");
    const MappedFile file = TRY(MappedFile::open(log.get(), static_cast<size_t>(end)));
    const std::string_view whole = file.text().substr(0, file.text().rfind('\n') + 1);
    size = static_cast<int64_t>(whole.size());
    TRY(printer.print(select(whole, printer, selection.tail)));
  }
  if (!options.follow) return 0;
  Follower follower(log.get(), size, printer);
  TRY(follower.watch());
  TRY(follower.follow());
  return 0;
}

}  // namespace onggi::image
