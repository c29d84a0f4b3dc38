// SPDX-License-Identifier: Apache-2.0
// Every copy is a tar that one side writes and the other applies, below a directory that is open.
// Paths in the container are resolved within its root by the kernel (openat2(2), RESOLVE_IN_ROOT),
// so that no link of it, and no race with its programs, leads to a file of the host
// (CVE-2019-14271, CVE-2018-15664).
#include "command/cp.h"

#include "base/file.h"
#include "base/path.h"
#include "command/container_root.h"
#include "layer/disk_entry.h"
#include "layer/layer_apply.h"
#include "layer/layer_diff.h"
#include "layer/tar_writer.h"
#include "process/pipe.h"

#include <unistd.h>

#include <thread>

namespace onggi::image {
namespace {

constexpr size_t kPortion = 256u << 10;

class FileSource final : public ByteSource {
 public:
  explicit FileSource(int fd) : fd_(fd), buffer_(kPortion, 0) {}
  Result<std::string_view> peek() override {
    if (!ready_.empty()) return ready_;
    const long size = sys::read(fd_, buffer_.data(), buffer_.size());
    if (size < 0) return system_error(size, "read", "tar");
    ready_ = {buffer_.data(), static_cast<size_t>(size)};
    return ready_;
  }
  void consume(size_t count) override { ready_.remove_prefix(count); }

 private:
  int fd_;
  std::string buffer_;
  std::string_view ready_;
};

class FileSink final : public ByteSink {
 public:
  explicit FileSink(int fd) : fd_(fd) {}
  Result<> write(std::string_view bytes) override { return write_all(fd_, "tar", bytes); }

 private:
  int fd_;
};

// Where paths begin: the root of a container, or that of this process.
struct Side {
  int root = -1;  // -1: this process's working directory
  std::string path;

  // An error of open(2) is negative.
  UniqueFd open(const std::string& path_below, int flags, long* failure = nullptr) const {
    const std::string name = path_below.empty() ? "." : path_below;
    const long opened =
        root < 0 ? sys::openat(AT_FDCWD, name.c_str(), flags | O_CLOEXEC)
                 : sys::openat2(root, name.c_str(), static_cast<uint64_t>(flags) | O_CLOEXEC,
                                RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (failure != nullptr) *failure = opened;
    return opened < 0 ? UniqueFd() : UniqueFd(opened);
  }
};

struct Name {
  std::string parent, last;  // "" and "x" of "x"
};
Name split_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool names_content(const std::string& path) {
  return path == "." || path == "/" || path.ends_with("/.") || path.ends_with("/..") ||
         path == "..";
}

// What is copied: a directory's content, or one entry.
struct Source {
  UniqueFd directory;  // of the content, or where the entry is
  std::string name;    // of the entry or the directory; empty: nobody asked for a name
  bool is_directory = false;
};

Result<Source> open_source(const Side& side) {
  long failure = 0;
  const bool wants_directory = names_content(side.path) || side.path.ends_with('/');
  const Name name = split_path(side.path);
  UniqueFd directory =
      side.open(side.path, O_RDONLY | O_DIRECTORY | (wants_directory ? 0 : O_NOFOLLOW), &failure);
  if (directory)
    return Source{std::move(directory), names_content(side.path) ? "" : name.last, true};
  if (wants_directory) return system_error(failure, "open", side.path);
  UniqueFd parent = side.open(name.parent, O_RDONLY | O_DIRECTORY, &failure);
  if (!parent) return system_error(failure, "open", side.path);
  return Source{std::move(parent), name.last, false};
}

Result<> write_tar(const Source& source, const std::string& name, int to) {
  if (source.is_directory) {
    UniqueFd directory = TRY(open_directory(source.directory.get(), "."));
    DiffOptions options;
    options.compression = Compression::none;
    options.upper_is_mount = true;
    TRY(write_layer_diff(std::move(directory), UniqueFd(), options, to));
    return {};
  }
  const DiskEntry entry = TRY(DiskEntry::open(source.directory.get(), source.name, {}));
  if (entry.is_socket()) return unsupported("", "'", source.name, "' is a socket");
  FileSink sink(to);
  TarWriter tar(sink);
  TarEntry header = entry.tar_entry();
  header.name = name;
  TRY(tar.entry(header));
  if (header.type == EntryType::file) {
    const UniqueFd content = TRY(entry.open_content());
    std::string buffer(kPortion, 0);
    for (uint64_t left = header.size; left > 0;) {
      const long size =
          sys::read(content.get(), buffer.data(), std::min<uint64_t>(left, buffer.size()));
      if (size < 0) return system_error(size, "read", source.name);
      if (size == 0) return state_error("'", source.name, "' became shorter while it was read");
      TRY(tar.data({buffer.data(), static_cast<size_t>(size)}));
      left -= static_cast<uint64_t>(size);
    }
  }
  return tar.finish();
}

Result<> apply_tar(int from, UniqueFd directory) {
  FileSource source(from);
  TarReader tar(source);
  Rootfs rootfs(std::move(directory));
  Notices notices;
  Attributes attributes(notices);
  LayerLimits limits;
  limits.bytes = limits.entries = UINT64_MAX;
  LayerApplier applier(rootfs, attributes, limits);
  applier.keep_whiteouts();
  return applier.apply(tar);
}

// Where it goes, and by which name; an existing directory takes it in.
struct Target {
  UniqueFd directory;
  std::string name;
};

Result<Target> open_target(const Side& side, const Source& source) {
  long failure = 0;
  UniqueFd inside = side.open(side.path, O_RDONLY | O_DIRECTORY, &failure);
  if (inside && source.is_directory && source.name.empty()) return Target{std::move(inside), ""};
  if (inside) return Target{std::move(inside), source.name};
  const Name name = split_path(side.path);
  if (failure == -ENOENT && side.path.ends_with('/') && !source.is_directory)
    return with_hint(system_error(failure, "open", side.path), "create the directory first");
  if (failure == -ENOTDIR && source.is_directory)
    return state_error("'", side.path, "' is not a directory, and a directory cannot replace it");
  if (failure != -ENOENT && failure != -ENOTDIR) return system_error(failure, "open", side.path);
  UniqueFd parent = side.open(name.parent, O_RDONLY | O_DIRECTORY, &failure);
  if (!parent) return system_error(failure, "open", name.parent);
  return Target{std::move(parent), name.last};
}

// A directory gets its own as the root of what is applied.
Result<UniqueFd> directory_for(Target target, const Source& source) {
  if (!source.is_directory || target.name.empty()) return std::move(target.directory);
  const long made = sys::mkdirat(target.directory.get(), target.name.c_str(), 0755);
  if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", target.name);
  const long opened = sys::openat(target.directory.get(), target.name.c_str(),
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) return system_error(opened, "open", target.name);
  return UniqueFd(opened);
}

Result<> copy_between(const Side& from, const Side& to) {
  const Source source = TRY(open_source(from));
  Target target = TRY(open_target(to, source));
  const std::string name = target.name;
  UniqueFd directory = TRY(directory_for(std::move(target), source));
  Pipe pipe = TRY(make_pipe());
  std::optional<Result<>> written;
  std::thread writer(
      [&, end = std::move(pipe.write)] { written.emplace(write_tar(source, name, end.get())); });
  const Result<> applied = apply_tar(pipe.read.get(), std::move(directory));
  pipe.read.reset();
  writer.join();
  // The reader's failure is the cause of the writer's broken pipe, and the other way round.
  if (!*written && written->error().errnum != EPIPE) return *written;
  return applied;
}

struct Operand {
  std::optional<std::string> id;
  std::string path;
};

// "ID:PATH"; a path of the host that has a colon begins with / or a dot.
Operand parse_operand(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos || text.starts_with('/') || text.starts_with('.') ||
      text.substr(0, colon).find('/') != text.npos)
    return {std::nullopt, std::string(text)};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

}  // namespace

Result<int> cp_command(const Context& context, const NoOptions&) {
  const Operand from = parse_operand(context.operands[0]), to = parse_operand(context.operands[1]);
  if (from.id.has_value() == to.id.has_value()) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "one of SOURCE and TARGET must be in a container"),
        "name it as CONTAINER-ID:PATH");
  }
  if (from.path.empty() || to.path.empty())
    return make_error(ErrorKind::invalid_config, "a path is empty");
  const ContainerRoot root =
      TRY(ContainerRoot::open(context, from.id ? *from.id : *to.id, ContainerRoot::Mounts::shown));
  const Side source{from.id ? root.fd() : -1, from.path}, target{to.id ? root.fd() : -1, to.path};
  if (!to.id && to.path == "-") {
    const Source opened = TRY(open_source(source));
    TRY(write_tar(opened, opened.name, STDOUT_FILENO));
  } else if (!from.id && from.path == "-") {
    long failure = 0;
    UniqueFd directory = target.open(target.path, O_RDONLY | O_DIRECTORY, &failure);
    if (!directory) return system_error(failure, "open", target.path);
    TRY(apply_tar(STDIN_FILENO, std::move(directory)));
  } else {
    TRY(copy_between(source, target));
  }
  return 0;
}

Result<int> export_command(const Context& context, const ExportOptions& options) {
  UniqueFd file;
  if (!options.output.empty()) {
    const long opened = sys::openat(AT_FDCWD, options.output.c_str(),
                                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (opened < 0) return system_error(opened, "open", options.output);
    file.reset(static_cast<int>(opened));
  } else if (isatty(STDOUT_FILENO) == 1) {
    return with_hint(state_error("standard output is a terminal"), "use --output FILE");
  }
  const ContainerRoot root = TRY(ContainerRoot::open(context, std::string(context.operands[0]),
                                                     ContainerRoot::Mounts::hidden));
  Source source{TRY(open_directory(root.fd(), ".")), "", true};
  TRY(write_tar(source, "", file ? file.get() : STDOUT_FILENO));
  return 0;
}

}  // namespace onggi::image
