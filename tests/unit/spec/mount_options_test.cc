// SPDX-License-Identifier: Apache-2.0
// Every option of config.md#linux-mount-options is known, and later ones override earlier ones.
#include "spec/mount_options.h"

#include <doctest/doctest.h>
#include <linux/mount.h>

#include <algorithm>

using namespace onggi;
using namespace onggi::spec;

namespace {

MountOptions options_of(TextList options, Text type = "tmpfs") {
  Mount mount;
  mount.destination = "/a";
  mount.type = type;
  mount.options = std::move(options);
  auto parsed = parse_mount_options(mount, "mounts[0]");
  REQUIRE(parsed);
  return std::move(parsed).value();
}

}  // namespace

TEST_CASE("per-mount attributes") {
  const MountOptions flags =
      options_of({"ro", "nosuid", "nodev", "noexec", "nosymfollow", "nodiratime"});
  CHECK(flags.attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                           MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME));
  CHECK(flags.attr_clear == 0);
  CHECK(flags.readonly());
  CHECK(flags.data.empty());

  const MountOptions cleared = options_of({"rw", "suid", "dev", "exec"});
  CHECK(cleared.attr_set == 0);
  CHECK(cleared.attr_clear ==
        (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

TEST_CASE("the last word counts") {
  CHECK_FALSE(options_of({"ro", "rw"}).readonly());
  CHECK(options_of({"rw", "ro"}).readonly());
  CHECK(options_of({"rw", "ro"}).attr_clear == 0);
  CHECK(options_of({"sync", "async"}).filesystem_flags == TextList{"async"});
  CHECK(options_of({"noatime", "strictatime"}).attr_set == MOUNT_ATTR_STRICTATIME);
}

TEST_CASE("whoever sets the access time clears the whole field") {
  for (const char* option :
       {"relatime", "noatime", "strictatime", "atime", "norelatime", "nostrictatime"}) {
    CAPTURE(option);
    CHECK((options_of({option}).attr_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
    const std::string recursive = "r" + std::string(option);
    const MountOptions all = options_of({recursive});
    CHECK((all.recursive_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
    CHECK(all.attr_clear == 0);
  }
  CHECK(options_of({"noatime", "atime"}).attr_set == 0);
  CHECK(options_of({"strictatime", "atime"}).attr_set == MOUNT_ATTR_STRICTATIME);
  CHECK(options_of({"strictatime", "nostrictatime"}).attr_set == 0);
  CHECK(options_of({"rnoatime"}).recursive_set == MOUNT_ATTR_NOATIME);
}

TEST_CASE("recursive attributes are apart") {
  const MountOptions options = options_of({"rro", "rnosuid", "rexec", "rw"});
  CHECK(options.recursive_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
  CHECK(options.recursive_clear == MOUNT_ATTR_NOEXEC);
  CHECK(options.attr_clear == MOUNT_ATTR_RDONLY);
  CHECK(options_of({"rro", "rrw"}).recursive_set == 0);
}

TEST_CASE("propagation keeps its order") {
  const MountOptions options = options_of({"rslave", "shared", "unbindable", "rprivate"});
  REQUIRE(options.propagation.size() == 4);
  CHECK(options.propagation[0].type == MS_SLAVE);
  CHECK(options.propagation[0].recursive);
  CHECK(options.propagation[1].type == MS_SHARED);
  CHECK_FALSE(options.propagation[1].recursive);
  CHECK(options.propagation[2].type == MS_UNBINDABLE);
  CHECK(options.propagation[3].type == MS_PRIVATE);
}

TEST_CASE("what is no attribute") {
  const MountOptions bind =
      options_of({"rbind", "remount", "idmap", "ridmap", "sync", "silent", "defaults"}, "none");
  CHECK(bind.bind);
  CHECK(bind.recursive_bind);
  CHECK(bind.remount);
  CHECK(bind.idmap);
  CHECK(bind.ridmap);
  CHECK(bind.filesystem_flags.empty());
  CHECK_FALSE(options_of({"bind"}).recursive_bind);

  const MountOptions tmpfs =
      options_of({"tmpcopyup", "mode=755", "", "dirsync", "lazytime", "size=64k"});
  CHECK(tmpfs.tmpcopyup);
  CHECK(tmpfs.data == TextList{"mode=755", "size=64k"});
  CHECK(tmpfs.filesystem_flags == TextList{"dirsync", "lazytime"});
}

TEST_CASE("only a filesystem with a disk or a server behind it gets a read-only superblock") {
  CHECK(options_of({"ro"}, "ext4").filesystem_flags == TextList{"ro"});
  CHECK(options_of({"ro", "rw"}, "ext4").filesystem_flags.empty());
  for (const char* type : {"proc", "sysfs", "tmpfs", "cgroup", "cgroup2", "mqueue", "devpts"}) {
    CAPTURE(type);
    CHECK(options_of({"ro"}, type).filesystem_flags.empty());
  }
}

TEST_CASE("every known option is taken out of the filesystem's data") {
  for (const Text option : known_mount_options()) {
    CAPTURE(option);
    CHECK(options_of({option}).data.empty());
  }
  CHECK(options_of({"nofail"}).data == TextList{"nofail"});
  for (const char* option :
       {"iversion", "loud", "mand", "rsymfollow", "runbindable", "ridmap", "tmpcopyup"}) {
    CHECK(std::ranges::count(known_mount_options(), Text(option)) == 1);
  }
}

TEST_CASE("an option that a bind mount does not have comes with the one that was meant") {
  const std::pair<Text, const char*> cases[] = {
      {"readonly", "did you mean \"ro\"?"},
      {"nosuidd", "did you mean \"nosuid\"?"},
      {"z", "engines apply \"z\"; the runtime does not know it: remove it"},
      {"size=5m", ""},
  };
  for (const auto& [option, cure] : cases) {
    Mount mount;
    mount.options = {"bind", option};
    const auto parsed = parse_mount_options(mount, "mounts[0]");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().hint.view() == cure);
  }
}
