// SPDX-License-Identifier: Apache-2.0
// The default document has the meaning of `runc spec` for a program without a terminal, with all
// kinds of namespaces that every supported kernel has (pid, network, ipc, uts, mount, cgroup).
#include "support/bundle.h"

#include "support/leaks.h"
#include "support/suite.h"

#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace onggi::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultConfig = R"({
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["/bin/guest", "exit", "0"],
    "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    },
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "guest",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}
  ],
  "linux": {
    "resources": {"devices": [{"allow": false, "access": "rwm"}]},
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                   {"type": "cgroup"}],
    "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
  }
})";

fs::path guest_program() {
  const char* path = getenv("ONGGI_GUEST");
  return path != nullptr ? path : ONGGI_DEFAULT_GUEST;
}

fs::path scratch_root() {
  const char* base = getenv("TMPDIR");
  return fs::path(base != nullptr && base[0] == '/' ? base : "/tmp");
}

}  // namespace

const std::string& tag() {
  static const std::string value = "onggi-test-" + std::to_string(getpid());
  return value;
}

ScratchDirectory::ScratchDirectory(std::string_view purpose) {
  stop_listing();
  static int count = 0;
  path_ = scratch_root() / (tag() + "-" + std::string(purpose) + "-" + std::to_string(++count));
  fs::remove_all(path_);
  fs::create_directory(path_);
  // A container in a user namespace reaches its rootfs as a stranger.
  fs::permissions(path_, fs::perms{0755});
}

ScratchDirectory::~ScratchDirectory() {
  // Deleting through a mount that was left here would delete somebody else's files.
  Strings mounts = mount_points(path_);
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    note_leak("mount " + *mount);
    umount2(mount->c_str(), MNT_DETACH);
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Bundle::Bundle() : directory_("bundle") {
  fs::create_directories(rootfs() / "bin");
  std::error_code across_filesystems;
  fs::create_hard_link(guest_program(), rootfs() / "bin/guest", across_filesystems);
  if (across_filesystems) fs::copy_file(guest_program(), rootfs() / "bin/guest");
  document_.Parse(kDefaultConfig);
}

Bundle& Bundle::guest(const Strings& words) {
  Strings args = {"/bin/guest"};
  args.insert(args.end(), words.begin(), words.end());
  return set("/process/args", args);
}

Bundle& Bundle::set_json(const std::string& pointer, std::string_view json) {
  rapidjson::Document value(&document_.GetAllocator());
  value.Parse<rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (value.HasParseError())
    throw std::invalid_argument("test bug: bad JSON: " + std::string(json));
  rapidjson::Pointer(pointer.c_str()).Set(document_, value);
  return *this;
}

Bundle& Bundle::set(const std::string& pointer, std::string_view text) {
  return set_json(pointer, json_string(text));
}

Bundle& Bundle::set(const std::string& pointer, const Strings& values) {
  std::string json = "[";
  for (const std::string& value : values) json += (json.size() > 1 ? "," : "") + json_string(value);
  return set_json(pointer, json + "]");
}

Bundle& Bundle::erase(const std::string& pointer) {
  rapidjson::Pointer(pointer.c_str()).Erase(document_);
  return *this;
}

Bundle& Bundle::add_mount(std::string_view destination, std::string_view type,
                          std::string_view source, const Strings& options) {
  set_json("/mounts/-", R"({"destination":)" + json_string(destination) + R"(,"type":)" +
                            json_string(type) + R"(,"source":)" + json_string(source) + "}");
  if (!options.empty()) set("/mounts/" + std::to_string(mount_count() - 1) + "/options", options);
  return *this;
}

Bundle& Bundle::add_bind(std::string_view destination, const fs::path& source, Strings options) {
  if (options.empty()) options = {"bind"};
  return add_mount(destination, "bind", source.string(), options);
}

Bundle& Bundle::drop_mount(std::string_view destination) {
  auto& mounts = document_["mounts"];
  for (auto mount = mounts.Begin(); mount != mounts.End(); ++mount) {
    if (destination == (*mount)["destination"].GetString()) {
      mounts.Erase(mount);
      return *this;
    }
  }
  throw std::invalid_argument("test bug: no such mount: " + std::string(destination));
}

Bundle& Bundle::drop_namespace(std::string_view type) {
  auto& namespaces = document_["linux"]["namespaces"];
  for (auto entry = namespaces.Begin(); entry != namespaces.End(); ++entry) {
    if (type == (*entry)["type"].GetString()) {
      namespaces.Erase(entry);
      break;
    }
  }
  return *this;
}

Bundle& Bundle::set_namespace(std::string_view type, std::string_view path) {
  drop_namespace(type);
  std::string entry = R"({"type":)" + json_string(type);
  if (!path.empty()) entry += R"(,"path":)" + json_string(path);
  return set_json("/linux/namespaces/-", entry + "}");
}

Bundle& Bundle::raw(std::string text) {
  raw_ = std::move(text);
  is_raw_ = true;
  return *this;
}

std::string Bundle::text() const {
  if (is_raw_) return raw_;
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document_.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

void Bundle::write() const {
  write_file(config(), text());
}

size_t Bundle::mount_count() const {
  return document_.HasMember("mounts") ? document_["mounts"].Size() : 0;
}

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, std::string_view text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + path.string());
}

std::string json_string(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string mapping(unsigned container, unsigned host, unsigned size) {
  return "[{\"containerID\": " + std::to_string(container) +
         ", \"hostID\": " + std::to_string(host) + ", \"size\": " + std::to_string(size) + "}]";
}

}  // namespace onggi::test
