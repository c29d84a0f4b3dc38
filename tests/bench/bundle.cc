// SPDX-License-Identifier: Apache-2.0
#include "bench/bundle.h"

#include "bench/process.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {
namespace {

namespace fs = std::filesystem;
using rapidjson::Value;

constexpr int kVolumes = 30;

// A config.json that is being changed.
struct Config {
  rapidjson::Document document;
  fs::path directory;  // of Bundles

  Value text(const std::string& value) { return Value(value, document.GetAllocator()); }
  Value list(const std::vector<std::string>& words) {
    Value result(rapidjson::kArrayType);
    for (const std::string& word : words) result.PushBack(text(word), document.GetAllocator());
    return result;
  }
  // An object of the text, which may have an apostrophe for each quotation mark.
  Value parse(std::string json) {
    for (char& c : json) c = c == '\'' ? '"' : c;
    rapidjson::Document parsed;
    parsed.Parse(json.c_str());
    return Value(parsed, document.GetAllocator());
  }
  Value& linux_part() { return document["linux"]; }
  void set(Value& object, const char* name, Value value) {
    object.RemoveMember(name);
    object.AddMember(rapidjson::StringRef(name), value, document.GetAllocator());
  }
};

// Engines make the network namespace; the runtime joins it.
void as_an_engine(Config& config) {
  for (Value& entry : config.linux_part()["namespaces"].GetArray()) {
    if (entry["type"] == "network") {
      config.set(entry, "path", config.text(config.directory / "network"));
    }
  }
}

void add_hooks(Config& config) {
  Value hooks(rapidjson::kObjectType);
  for (const char* point : {"prestart", "createRuntime", "createContainer", "startContainer",
                            "poststart", "poststop"}) {
    config.set(hooks, point, config.parse("[{'path': '/bin/true'}]"));
  }
  config.set(config.document, "hooks", std::move(hooks));
}

void add_binds(Config& config) {
  for (int i = 0; i < kVolumes; i++) {
    Value mount(rapidjson::kObjectType);
    const std::string name = std::to_string(i);
    config.set(mount, "destination", config.text("/mnt/" + name));
    config.set(mount, "type", config.text("bind"));
    config.set(mount, "source", config.text("volumes/" + name));
    config.set(mount, "options", config.list({"rbind", "rprivate", i % 2 == 0 ? "ro" : "rw"}));
    config.document["mounts"].PushBack(mount, config.document.GetAllocator());
  }
}

void add_user_namespace(Config& config) {
  Value& part = config.linux_part();
  part["namespaces"].PushBack(config.parse("{'type': 'user'}"), config.document.GetAllocator());
  for (const char* name : {"uidMappings", "gidMappings"}) {
    config.set(part, name, config.parse("[{'containerID': 0, 'hostID': 100000, 'size': 65536}]"));
  }
}

void add_limits(Config& config) {
  Value& resources = config.linux_part()["resources"];
  config.set(resources, "memory", config.parse("{'limit': 67108864}"));
  config.set(resources, "cpu", config.parse("{'shares': 512, 'quota': 50000, 'period': 100000}"));
  config.set(resources, "pids", config.parse("{'limit': 50}"));
}

struct Row {
  Shape shape;
  const char* file;
  void (*change)(Config& config);
};
constexpr Row kShapes[] = {
    {Shape::plain, "default.json", nullptr},
    {Shape::engine, "engine.json", as_an_engine},
    {Shape::hooks, "default.json", add_hooks},
    {Shape::binds, "default.json", add_binds},
    {Shape::user_namespace, "default.json", add_user_namespace},
    {Shape::limits, "default.json", add_limits},
};

const Row& row_of(Shape shape) {
  for (const Row& row : kShapes) {
    if (row.shape == shape) return row;
  }
  throw Failure("a shape without a row");
}

// Mount points are there already: the root of a user namespace could not make them.
void make_root(const fs::path& root) {
  for (const char* name : {"bin", "data", "dev", "etc", "proc", "run", "sys"}) {
    fs::create_directories(root / name);
  }
  for (int i = 0; i < kVolumes; i++) fs::create_directories(root / "mnt" / std::to_string(i));
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* name : {"true", "sleep"}) fs::create_symlink("busybox", root / "bin" / name);
  for (const char* name : {"etc/resolv.conf", "etc/hosts", "etc/hostname", "run/.containerenv"}) {
    write_file(root / name, "");
  }
}

// A network namespace that lives as long as its mount.
void make_network(const fs::path& path) {
  write_file(path, "");
  int made[2];
  if (pipe2(made, O_CLOEXEC) != 0) throw Failure("pipe2");
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNET) == 0) (void)!write(made[1], "", 1);
    (void)close(made[1]);
    (void)::pause();
    _exit(0);
  }
  (void)close(made[1]);
  char byte = 0;
  const std::string source = "/proc/" + std::to_string(child) + "/ns/net";
  const bool done = read(made[0], &byte, 1) == 1 &&
                    mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
  (void)close(made[0]);
  (void)kill(child, SIGKILL);
  (void)waitpid(child, nullptr, 0);
  if (!done) throw Failure("cannot make a network namespace");
}

}  // namespace

fs::path root_of(const fs::path& bundle) {
  return bundle.parent_path() / "rootfs";
}

Bundles::Bundles(const fs::path& directory) : directory_(directory) {
  make_root(directory / "rootfs");
  make_network(directory / "network");
}

Bundles::~Bundles() {
  (void)umount2((directory_ / "network").c_str(), MNT_DETACH);
}

fs::path Bundles::make(Shape shape, bool sleeps) const {
  const Row& row = row_of(shape);
  std::string name = (directory_ / "bundle.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr || chmod(name.c_str(), 0755) != 0) {
    throw Failure("cannot make " + name);
  }
  const fs::path bundle = name;
  for (int i = 0; i < kVolumes; i++) fs::create_directories(bundle / "volumes" / std::to_string(i));
  fs::create_directory(bundle / "files");
  for (const char* file : {"resolv.conf", "hosts", "hostname", ".containerenv"}) {
    write_file(bundle / "files" / file, "");
  }
  Config config;
  config.directory = directory_;
  config.document.Parse(read_file(fs::path(ONGGI_BENCH_DIRECTORY) / row.file).c_str());
  if (config.document.HasParseError()) throw Failure(std::string(row.file) + " is not JSON");
  config.set(config.document["root"], "path", config.text(root_of(bundle)));
  config.set(config.document["process"], "args",
             sleeps ? config.list({"/bin/sleep", "100000"}) : config.list({"/bin/true"}));
  if (row.change != nullptr) row.change(config);
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  config.document.Accept(writer);
  write_file(bundle / "config.json", std::string(buffer.GetString(), buffer.GetSize()) + "\n");
  return bundle;
}

}  // namespace bench
