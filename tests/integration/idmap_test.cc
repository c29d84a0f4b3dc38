// SPDX-License-Identifier: Apache-2.0
// Bind mounts whose ids are mapped, and sources that the root of a user namespace cannot reach: the
// runtime opens both for the container, in its mount namespace and in the order of the list.
#include "support/mount_table.h"
#include "support/suite.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kRuncTooOld = "1.1.5 knows no id-mapped mounts";

void make_target(Bundle& bundle, const std::string& path = "data") {
  fs::create_directories(bundle.rootfs() / path);
}

std::string owner(const fs::path& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return "missing";
  return std::to_string(info.st_uid) + ":" + std::to_string(info.st_gid);
}

}  // namespace

TEST_SUITE_BEGIN("idmap");

CASE("a mount with mappings of its own shows the mapped ids") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  REQUIRE(chown((source.path() / "file").c_str(), 7, 8) == 0);
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536)).guest({"stat", "/data", "/data/file"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/data dir 0755 100000 100000 "));
  CHECK(contains(outcome.out, "/data/file file 0644 100007 100008 "));
}

CASE("a file written through a mapped mount has the source's id on the host") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  REQUIRE(chown(source.path().c_str(), 5, 6) == 0);
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536)).guest({"write", "/data/new", "x"});
  bundle.set_json("/process/user", R"({"uid": 100005, "gid": 100006})");
  CHECK(run(bundle).out == "write /data/new: ok\n");
  CHECK(owner(source.path() / "new") == "5:6");
}

CASE("users and groups have mappings of their own, of several ranges") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  REQUIRE(chown((source.path() / "file").c_str(), 12, 3) == 0);
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, 300000, 20))
      .set_json("/mounts/7/uidMappings",
                R"([{"containerID": 0, "hostID": 200000, "size": 10},
                    {"containerID": 10, "hostID": 210000, "size": 10}])")
      .guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 210002 300003 "));
}

CASE("without mappings of its own a mount takes those of the container's user namespace") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle)
      .add_bind("/data", source.path(), {"rbind", "idmap"})
      .guest({"stat", "/data/file", "--", "write", "/data/new", "x"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/data/file file 0644 0 0 "));
  CHECK(contains(outcome.out, "write /data/new: ok\n"));
  CHECK(owner(source.path() / "new") == "0:0");
}

CASE("a user namespace given by path gives its mappings, too") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle first_bundle;
  Container first(in_user_namespace(first_bundle));
  REQUIRE(first.create().ok());
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle).set_namespace("user",
                                          "/proc/" + std::to_string(first.pid()) + "/ns/user");
  bundle.erase("/linux/uidMappings").erase("/linux/gidMappings");
  bundle.add_bind("/data", source.path(), {"rbind", "idmap"}).guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 0 0 "));
}

CASE("own mappings count in a user namespace, too, with ids of the host") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle).add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId + 50, 10)).guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 50 50 "));
}

CASE("mappings without idmap are applied, as engines of version 1.1 expect") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path());
  map_last_mount(bundle, mapping(0, kFirstId, 65536)).guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 100000 100000 "));
}

CASE("ridmap maps what is mounted below, idmap only the top") {
  REQUIRES(root());
  REQUIRES(kernel(6, 3));  // a tmpfs with mapped ids
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 does not know ridmap");
  const Source source;
  const HostMount below(source.path() / "sub");
  write_file(below.path() / "deep", "");
  Bundle bundle;
  bundle.add_bind("/all", source.path(), {"rbind", "ridmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536));
  bundle.add_bind("/top", source.path(), {"rbind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536));
  bundle.guest({"stat", "/all/file", "/all/sub/deep", "/top/file", "/top/sub/deep"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/all/file file 0644 100000 100000 "));
  CHECK(contains(outcome.out, "/all/sub/deep file 0644 100000 100000 "));
  CHECK(contains(outcome.out, "/top/file file 0644 100000 100000 "));
  CHECK(contains(outcome.out, "/top/sub/deep file 0644 0 0 "));
}

CASE("a mapped mount takes attributes and propagation, too") {
  REQUIRES(root());
  REQUIRES(kernel(6, 3));
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 does not know ridmap");
  const Source source;
  const HostMount below(source.path() / "sub");
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"rbind", "ridmap", "rro", "nodev", "rshared"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536)).guest({"mounts", "--", "stat", "/data"});
  const Outcome outcome = run(bundle);
  const MountLine top = mount_at(outcome.out, "/data");
  const MountLine deep = mount_at(outcome.out, "/data/sub");
  CHECK(contains(outcome.out, "/data dir 0755 100000 100000 "));
  for (const MountLine& line : {top, deep}) {
    CHECK(has_option(line.options, "ro"));
    CHECK(has_option(line.options, "idmapped"));
    CHECK(contains(line.tags, "shared:"));
  }
  CHECK(has_option(top.options, "nodev"));
  CHECK_FALSE(has_option(deep.options, "nodev"));
}

CASE("a mapped mount in a user namespace takes attributes and propagation, too") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 leaves the mount private");
  const Source source;
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle)
      .add_bind("/data", source.path(), {"rbind", "idmap", "ro", "nosuid", "rshared"})
      .guest({"mounts", "--", "stat", "/data/file", "--", "write", "/data/new", "x"});
  const Outcome outcome = run(bundle);
  CHECK(has_option(mount_at(outcome.out, "/data").options, "nosuid"));
  CHECK(contains(mount_at(outcome.out, "/data").tags, "shared:"));
  CHECK(contains(outcome.out, "/data/file file 0644 0 0 "));
  CHECK(contains(outcome.out, "write /data/new: EROFS\n"));
}

CASE("many mounts with the same and with other mappings go together") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  Strings words = {"stat"};
  for (unsigned i = 0; i < 50; i++) {
    const std::string target = "/data" + std::to_string(i);
    bundle.add_bind(target, source.path(), {"bind", "idmap"});
    map_last_mount(bundle, mapping(0, kFirstId + i % 3, 65536));
    words.push_back(target + "/file");
  }
  const Outcome outcome = run(bundle.guest(words));
  for (unsigned i = 0; i < 50; i++) {
    const std::string id = std::to_string(kFirstId + i % 3);
    const std::string line = "/data" + std::to_string(i) + "/file file 0644 " + id + " " + id;
    CAPTURE(line);
    CHECK(contains(outcome.out, line));
  }
}

CASE("a file can be mapped as well as a directory") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  bundle.add_bind("/bound", source.path() / "file", {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536)).guest({"stat", "/bound"});
  CHECK(contains(run(bundle).out, "/bound file 0644 100000 100000 "));
}

CASE("an earlier mount of the container can be the source of a mapped one") {
  REQUIRES(root());
  REQUIRES(kernel(6, 3));
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 opens all sources on the host, before the first mount");
  Bundle bundle;
  bundle.add_mount("/first", "tmpfs", "tmpfs", {"mode=0711", "uid=4", "gid=5"})
      .add_bind("/second", bundle.rootfs() / "first", {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536))
      .guest({"stat", "/first", "/second", "--", "mounts"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/first dir 0711 4 5 "));
  CHECK(contains(outcome.out, "/second dir 0711 100004 100005 "));
  CHECK(mount_at(outcome.out, "/second").device == mount_at(outcome.out, "/first").device);
}

CASE("a filesystem whose ids cannot be mapped is an error with a hint") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  Bundle bundle;
  bundle.add_bind("/data", "/sys/kernel", {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536));
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "mounts[7]: "));
    CHECK(contains(outcome.err, "/sys/kernel"));
    CHECK(contains(outcome.err, "cannot map ids on the source's filesystem"));
  }
}

CASE("a missing source of a mapped mount is named") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_bind("/data", "/no/such/source", {"bind", "idmap"});
  const Outcome outcome = create(map_last_mount(bundle, mapping(0, kFirstId, 65536)));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such file or directory"));
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]: open_tree '/no/such/source'"));
}

CASE("mappings that the kernel refuses are an error at their place") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncTooOld);
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, R"([{"containerID": 0, "hostID": 1000, "size": 10},
                             {"containerID": 5, "hostID": 5000, "size": 10}])");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7].gidMappings"));
}

CASE("what cannot be mapped is refused before anything is done") {
  REQUIRES(root());
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 maps any filesystem, and takes one list");
  const std::string both = R"("uidMappings": [{"containerID": 0, "hostID": 5, "size": 1}],
                              "gidMappings": [{"containerID": 0, "hostID": 5, "size": 1}])";
  const std::string one = R"("uidMappings": [{"containerID": 0, "hostID": 5, "size": 1}])";
  for (const auto& [fields, error] :
       {std::pair{R"("type": "tmpfs", "options": ["idmap"], )" + both,
                  "only a new bind mount can have mapped ids"},
        std::pair{R"("type": "tmpfs", )" + both, "only a new bind mount can have mapped ids"},
        std::pair{R"("source": "/tmp", "options": ["bind", "remount", "idmap"], )" + both,
                  "only a new bind mount can have mapped ids"},
        std::pair{R"("source": "/tmp", "options": ["bind", "idmap"], )" + one, "gidMappings"},
        std::pair{std::string(R"("source": "/tmp", "options": ["bind", "ridmap"])"),
                  "or a user namespace that has them"}}) {
    CAPTURE(fields);
    Bundle bundle;
    bundle.set_json("/mounts/-", R"({"destination": "/data", )" + fields + "}");
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, error));
    CHECK(contains(outcome.err, "mounts[7]"));
  }
}

CASE("features announces id-mapped mounts") {
  REQUIRES((Need{is_onggi(), "the document of this runtime"}));
  const rapidjson::Document document = parse_json(runtime({"features"}).out);
  CHECK(document["linux"]["mountExtensions"]["idmap"]["enabled"].GetBool());
}

CASE("a source behind a closed directory of root is bound in a user namespace") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  const Source source;
  fs::create_directories(source.path() / "closed/open");
  write_file(source.path() / "closed/open/file", "reached");
  fs::permissions(source.path() / "closed", fs::perms{0700});
  for (const Strings& options : {Strings{"bind"}, Strings{"rbind", "ro", "nosuid"}}) {
    Bundle bundle;
    make_target(bundle);
    in_user_namespace(bundle)
        .add_bind("/data", source.path() / "closed/open", options)
        .guest({"cat", "/data/file"});
    const Outcome outcome = run(bundle);
    CHECK(outcome.err == "");
    CHECK(outcome.out == "reached");
  }
}

CASE("a file behind a closed directory of root is bound in a user namespace") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  const Source source;
  fs::permissions(source.path(), fs::perms{0700});
  Bundle bundle;
  write_file(bundle.rootfs() / "bound", "");
  in_user_namespace(bundle).add_bind("/bound", source.path() / "file").guest({"cat", "/bound"});
  CHECK(run(bundle).out == "from the host");
}

CASE("a closed directory stays closed to the container's program") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  const Source source;
  fs::create_directories(source.path() / "closed");
  write_file(source.path() / "closed/file", "secret");
  fs::permissions(source.path() / "closed", fs::perms{0700});
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle).add_bind("/data", source.path()).guest({"cat", "/data/closed/file"});
  CHECK(run(bundle).out == "cat /data/closed/file: EACCES\n");
}

CASE("closed, mapped and container sources keep the order of the list") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncTooOld);
  DEVIATES("crun", "1.8.1 opens all sources on the host, before the first mount");
  const Source source;
  fs::create_directories(source.path() / "closed/open");
  write_file(source.path() / "closed/open/file", "reached");
  fs::permissions(source.path() / "closed", fs::perms{0700});
  Bundle bundle;
  for (const char* name : {"one", "two", "three"}) make_target(bundle, name);
  in_user_namespace(bundle)
      .add_bind("/one", source.path() / "closed/open")
      .add_bind("/two", bundle.rootfs() / "one")
      .add_bind("/three", source.path(), {"bind", "idmap"})
      .add_bind("/one", bundle.rootfs() / "three")
      .guest({"cat", "/two/file", "/one/file", "--", "stat", "/one/file"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "reachedfrom the host"));
  CHECK(contains(outcome.out, "/one/file file 0644 0 0 "));
}

CASE("a source that is missing behind a closed directory is named") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  const Source source;
  fs::create_directories(source.path() / "closed");
  fs::permissions(source.path() / "closed", fs::perms{0700});
  Bundle bundle;
  make_target(bundle);
  in_user_namespace(bundle).add_bind("/data", source.path() / "closed/missing");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "mounts[7]: open_tree"));
    CHECK(contains(outcome.err, "closed/missing': no such file or directory"));
  }
}

TEST_SUITE_END();
