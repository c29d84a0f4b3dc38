// SPDX-License-Identifier: Apache-2.0
// Images in tar files: what docker, podman and skopeo write is read, and skopeo reads what we
// write.
#include "image_fixture.h"
#include "model/media_type.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;

bool holds(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("the text is: " << text);
  return false;
}

class Program {
 public:
  explicit Program(const Scratch& scratch) : root_(scratch.path("store")) {}
  Run operator()(std::vector<std::string> words, const std::string& input = {}) const {
    words.insert(words.begin(), {ONGGI_IMAGE, "--root", root_});
    return run(words, input);
  }
  std::string copy(const std::string& from, const std::string& to,
                   const std::string& input = {}) const {
    const Run result = (*this)({"copy", "--quiet", from, to}, input);
    CAPTURE(from);
    CAPTURE(to);
    CAPTURE(result.err);
    CHECK(result.status == 0);
    return result.out;
  }
  std::string refusal(const std::string& from, const std::string& to) const {
    const Run result = (*this)({"copy", "--quiet", from, to});
    CHECK(result.status == 1);
    return result.err;
  }

 private:
  std::string root_;
};

std::vector<std::string> layers() {
  return {Tar().directory("etc").file("etc/a", "a").bytes(), Tar().file("etc/b", "b").bytes()};
}

// What docker before 25 saves: directories by v1 ids, and a layer that is there twice as a link.
Tar docker_save(const std::string& tags, bool manifest_first) {
  const std::string first = layers()[0], second = layers()[1];
  const std::string config = R"({"architecture":"amd64","os":"linux","config":{"Cmd":["x"]},)"
                             R"("rootfs":{"type":"layers","diff_ids":[")" +
                             digest_of(first).text() + "\",\"" + digest_of(second).text() +
                             "\",\"" + digest_of(first).text() + "\"]}}";
  const std::string name = std::string(digest_of(config).hex()) + ".json";
  const std::string manifest = R"([{"Config":")" + name + R"(","RepoTags":)" + tags +
                               R"(,"Layers":["1/layer.tar","2/layer.tar","3/layer.tar"]}])";
  Tar tar;
  if (manifest_first) tar.file("manifest.json", manifest);
  tar.directory("3/").symlink("3/layer.tar", "../1/layer.tar");
  tar.directory("2/").file("2/VERSION", "1.0").file("2/layer.tar", second);
  tar.file(name, config).directory("1/").file("1/layer.tar", first);
  if (!manifest_first) tar.file("manifest.json", manifest);
  return tar;
}

std::string tree_of(const Scratch& scratch, const Program& program, const std::string& image,
                    const std::string& name) {
  const Run result = program({"unpack", image, scratch.path(name)});
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  return listing(scratch.path(name));
}

}  // namespace

TEST_SUITE("transfer: archives") {
  TEST_CASE("an image survives the way through both kinds of archives with its digest") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor image = from.image(layers());
    from.name(image, "web");
    const std::string digest = image.digest.text() + "\n";
    for (const std::string kind : {"oci-archive:", "docker-archive:"}) {
      CAPTURE(kind);
      const std::string file = kind + scratch.path("web.tar");
      CHECK(program.copy("oci:" + from.path() + ":web", file + ":web:1") == digest);
      CHECK(program.copy(file, "web") == digest);
      CHECK(program.copy(file + ":web:1", "web") == digest);
      CHECK(holds(program.refusal(file + ":other", "web"), "'other'"));
      CHECK(!scratch.exists(".web.tar.new"));
    }
  }

  TEST_CASE("an image keeps its name in an archive, and on the way to another") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image(layers()), "tagged");
    program.copy("oci:" + from.path(), "my/new:1");
    const auto from_tar = [&](const std::string& archive, const char* entry) {
      return run({"tar", "-xOf", archive.substr(archive.find(':') + 1), entry}).out;
    };
    const std::string docker = "docker-archive:" + scratch.path("docker.tar");
    const std::string oci = "oci-archive:" + scratch.path("oci.tar");
    struct Row {
      std::string source, repo_tag, reference;
    };
    for (const Row& row :
         {Row{"my/new:1", R"("RepoTags":["my/new:1"])", "docker.io/my/new:1"},
          Row{oci + ":docker.io/my/new:1", R"("RepoTags":["my/new:1"])", "docker.io/my/new:1"},
          Row{"oci:" + from.path() + ":tagged", R"("RepoTags":["tagged:latest"])", "tagged"}}) {
      CAPTURE(row.source);
      program.copy(row.source, docker);
      CHECK(holds(from_tar(docker, "manifest.json"), row.repo_tag));
      const std::string copied = "oci-archive:" + scratch.path("copied.tar");
      program.copy(row.source, copied);
      CHECK(holds(from_tar(copied, "index.json"),
                  R"("org.opencontainers.image.ref.name":")" + row.reference + "\""));
      std::filesystem::rename(scratch.path("copied.tar"), scratch.path("oci.tar"));
    }
  }

  TEST_CASE("archives and layouts without oci-layout, and descriptors without types, are read") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const std::string layer = layers()[0];
    Descriptor blob = from.blob(layer, "");
    const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers",)"
                               R"("diff_ids":[")" +
                               digest_of(layer).text() + R"("]}})";
    const auto bare = [](const Descriptor& each) {
      return R"({"digest":")" + each.digest.text() + R"(","size":)" + std::to_string(each.size) +
             "}";
    };
    const std::string manifest = R"({"schemaVersion":2,"config":)" + bare(from.blob(config, "")) +
                                 R"(,"layers":[)" + bare(blob) + "]}";
    const Descriptor image = from.blob(manifest, "");
    scratch.write("from/index.json", R"({"schemaVersion":2,"manifests":[)" + bare(image) + "]}");
    std::filesystem::remove(scratch.path("from/oci-layout"));
    REQUIRE(run({"tar", "-C", from.path(), "-cf", scratch.path("x.tar"), "."}).status == 0);
    for (const std::string& source :
         {"oci:" + from.path(), "oci-archive:" + scratch.path("x.tar")}) {
      CAPTURE(source);
      const Run copied = program({"copy", "--quiet", source, "web"});
      CAPTURE(copied.err);
      CHECK(copied.status == 0);
      CHECK(copied.out == image.digest.text() + "\n");
      CHECK(holds(copied.err, "has no oci-layout, assuming version 1.0.0"));
      CHECK(holds(copied.err,
                  "layers[0] has no mediaType, assuming " + std::string(media_type::kLayer)));
      CHECK(holds(copied.err, "config has no mediaType"));
      CHECK(holds(copied.err, image.digest.text() + ": its descriptor has no mediaType"));
      CHECK(holds(program({"list"}).out, "linux/amd64"));
      if (geteuid() == 0)
        CHECK(holds(tree_of(scratch, program, "web", "tree" + source.substr(0, 5)), "etc/a"));
      CHECK(program({"remove", "web"}).status == 0);
    }
    scratch.write("from/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
    REQUIRE(run({"tar", "-C", from.path(), "-cf", scratch.path("x.tar"), "."}).status == 0);
    CHECK(holds(program.refusal("oci-archive:" + scratch.path("x.tar"), "web"), "2.0.0"));
  }

  TEST_CASE("nothing of this machine is in an archive, and tar lists it") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layers()[0]}), "web");
    program.copy("oci:" + from.path(), "oci-archive:" + scratch.path("1.tar"));
    const Run listed = run({"tar", "--utc", "-tvf", scratch.path("1.tar")});
    CHECK(listed.status == 0);
    CHECK(std::ranges::count(listed.out, '\n') == 5);
    for (size_t at = 0; at < listed.out.size(); at = listed.out.find('\n', at) + 1)
      CHECK(listed.out.compare(at, 14, "-rw-r--r-- 0/0") == 0);
    CHECK(holds(listed.out, "1970-01-01 00:00 index.json"));
  }

  TEST_CASE("all platforms go into an oci-archive, and one into a docker-archive") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor amd = from.image({layers()[0]}, "amd64");
    const Descriptor index = from.index({amd, from.image({layers()[1]}, "arm64")});
    from.name(index, "");
    const std::string source = "oci:" + from.path();
    CHECK(program.copy(source, "oci-archive:" + scratch.path("all.tar")) ==
          index.digest.text() + "\n");
    const Run one = program({"copy", "--platform", "linux/amd64", source,
                             "docker-archive:" + scratch.path("one.tar") + ":a"});
    CHECK(one.out == amd.digest.text() + "\n");
    const Run all = program(
        {"copy", "--all-platforms", source, "docker-archive:" + scratch.path("two.tar") + ":a"});
    CHECK(all.status == 1);
    CHECK(holds(all.err, "one platform"));
    CHECK(!scratch.exists("two.tar"));
    CHECK(!scratch.exists(".two.tar.new"));
  }

  TEST_CASE("what docker before 25 saved is read, in any order of its entries") {
    const Scratch scratch;
    const Program program(scratch);
    std::string digests;
    for (const bool manifest_first : {true, false}) {
      scratch.write("old.tar", docker_save(R"(["web:1","alpine:3"])", manifest_first).bytes());
      const std::string file = "docker-archive:" + scratch.path("old.tar");
      const std::string digest = program.copy(file, "web");
      CHECK((digests.empty() || digests == digest));
      digests = digest;
      CHECK(program.copy(file + ":docker.io/library/alpine:3", "web") == digest);
      CHECK(holds(program.refusal(file + ":nobody", "web"), "available: web:1, alpine:3"));
    }
    if (geteuid() == 0) {
      const std::string tree = tree_of(scratch, program, "web", "tree");
      CHECK(holds(tree, "etc/a"));
      CHECK(holds(tree, "etc/b"));
    }
  }

  TEST_CASE("an archive may have no tags, come from a pipe, and be compressed") {
    const Scratch scratch;
    const Program program(scratch);
    const std::string bytes = docker_save("null", false).bytes();
    const std::string digest = program.copy("docker-archive:-", "web", bytes);
    scratch.write("save.tar", bytes);
    CHECK(program.copy("docker-archive:" + scratch.path("save.tar"), "web") == digest);
    for (const std::string compressor : {"xz", "bzip2"}) {
      CAPTURE(compressor);
      if (!has_program(compressor)) {
        MESSAGE("SKIP: needs " << compressor);
        continue;
      }
      const Run packed = run({compressor, "--stdout", scratch.path("save.tar")});
      REQUIRE(packed.status == 0);
      CHECK(program.copy("docker-archive:-", "web", packed.out) == digest);
      CHECK(program.copy("docker-archive:" + scratch.write("packed", packed.out), "web") == digest);
      scratch.write("packed", packed.out.substr(0, packed.out.size() - 20));
      CHECK(holds(program.refusal("docker-archive:" + scratch.path("packed"), "web"),
                  "the compressed data ends too early"));
    }
    REQUIRE(run({"gzip", scratch.path("save.tar")}).status == 0);
    CHECK(program.copy("docker-archive:" + scratch.path("save.tar.gz"), "web") == digest);
    CHECK(program.copy("docker-archive:-", "web", scratch.read("save.tar.gz")) == digest);
    const Run piped = run({"sh", "-c",
                           "cat " + scratch.path("save.tar.gz") + " | " + ONGGI_IMAGE + " --root " +
                               scratch.path("store") + " copy --quiet docker-archive:- web"});
    CHECK(piped.out == digest);
  }

  TEST_CASE("a file of both kinds counts as a layout, but not if that has no layers") {
    const Scratch scratch;
    const Program program(scratch);
    // Docker 25.0 (moby issue 47065).
    TestLayout empty(scratch.path("empty"));
    const Descriptor config = empty.blob("{}", "application/vnd.oci.image.config.v1+json");
    const std::string hollow =
        R"({"schemaVersion":2,"config":)" + descriptor_json(config) + R"(,"layers":[]})";
    const Descriptor manifest = empty.blob(hollow, std::string(media_type::kManifest));
    empty.name(manifest, "web:1");
    Tar tar = docker_save(R"(["web:1"])", true);
    tar.file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    tar.file("index.json", scratch.read("empty/index.json"));
    tar.file("blobs/sha256/" + std::string(manifest.digest.hex()), hollow);
    scratch.write("hybrid.tar", tar.bytes());
    const std::string copied =
        program.copy("docker-archive:" + scratch.path("hybrid.tar") + ":web:1", "web");
    CHECK(copied != manifest.digest.text() + "\n");
    const Run inspected = program({"inspect", "web"});
    CHECK(holds(inspected.out, digest_of(layers()[1]).text()));
  }

  TEST_CASE("paths in a manifest.json are names of entries and nothing else (CVE-2014-9358)") {
    const Scratch scratch;
    const Program program(scratch);
    for (const std::string config : {"../../../../etc/passwd", "/etc/passwd", "x"}) {
      CAPTURE(config);
      Tar tar;
      tar.symlink("x", "/etc/passwd");
      tar.file("manifest.json", R"([{"Config":")" + config + R"(","RepoTags":null,"Layers":[]}])");
      scratch.write("evil.tar", tar.bytes());
      CHECK(holds(program.refusal("docker-archive:" + scratch.path("evil.tar"), "web"),
                  "the archive has no 'etc/passwd'"));
    }
    Tar loop;
    loop.symlink("a", "b").symlink("b", "a");
    loop.file("manifest.json", R"([{"Config":"a","RepoTags":null,"Layers":[]}])");
    scratch.write("loop.tar", loop.bytes());
    CHECK(holds(program.refusal("docker-archive:" + scratch.path("loop.tar"), "web"),
                "too many levels of links"));
  }

  TEST_CASE("what is no archive, or too much of one, is told") {
    const Scratch scratch;
    const Program program(scratch);
    scratch.write("text", std::string(600, 'x'));
    scratch.write("other.tar", Tar().file("a", "b").bytes());
    scratch.write("cut.tar", docker_save("null", true).bytes().substr(0, 3000));
    const std::string huge(5u << 20, ' ');
    scratch.write("huge.tar", Tar().file("oci-layout", "{}").file("index.json", huge).bytes());
    CHECK(program({"copy", "oci-archive:" + scratch.path("text"), "web"}).status == 1);
    CHECK(holds(program.refusal("oci-archive:" + scratch.path("other.tar"), "web"),
                "docker-archive:FILE"));
    CHECK(holds(program.refusal("docker-archive:" + scratch.path("other.tar"), "web"),
                "oci-archive:FILE"));
    CHECK(program({"copy", "docker-archive:" + scratch.path("cut.tar"), "web"}).status == 1);
    CHECK(holds(program.refusal("oci-archive:" + scratch.path("huge.tar"), "web"),
                "more than the limit"));
    CHECK(holds(program.refusal("oci-archive:" + scratch.path("none.tar"), "web"), "none.tar"));
  }

  TEST_CASE("a failed copy leaves the archive that was there") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image(layers()), "web");
    const std::string damaged = layers()[1];
    scratch.write("from/blobs/sha256/" + std::string(digest_of(damaged).hex()),
                  std::string(damaged.size(), 'x'));
    scratch.write("web.tar", "as it was");
    const std::string error =
        program.refusal("oci:" + from.path(), "oci-archive:" + scratch.path("web.tar"));
    CHECK(holds(error, digest_of(damaged).text()));
    CHECK(scratch.read("web.tar") == "as it was");
    CHECK(!scratch.exists(".web.tar.new"));
    CHECK(symlink("web.tar", scratch.path("link.tar").c_str()) == 0);
    CHECK(holds(program.refusal("oci:" + from.path(), "oci-archive:" + scratch.path("link.tar")),
                "not a regular file"));
  }
}

TEST_SUITE("transfer: archives and skopeo") {
  TEST_CASE("skopeo reads what we write, and we what it writes") {
    if (!has_program("skopeo")) {
      MESSAGE("SKIP: needs skopeo");
      return;
    }
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor image = from.image(layers());
    from.name(image, "web");
    const std::string digest = image.digest.text() + "\n";
    for (const std::string kind : {"oci:", "oci-archive:", "docker-archive:"}) {
      CAPTURE(kind);
      const std::string ours = kind + scratch.path("ours" + std::to_string(kind.size())) + ":web:1";
      CHECK(program.copy("oci:" + from.path(), ours) == digest);
      const std::string theirs = "oci:" + scratch.path("theirs") + ":web";
      const Run copied = run({"skopeo", "--insecure-policy", "copy", "-q", ours, theirs});
      CAPTURE(copied.err);
      CHECK(copied.status == 0);
      const Run config = run({"skopeo", "inspect", "--config", "--raw", theirs});
      CHECK(config.out == program({"inspect", "--config", "oci:" + from.path()}).out);
      const std::string back = kind + scratch.path("back" + std::to_string(kind.size())) + ":web:1";
      const Run saved =
          run({"skopeo", "--insecure-policy", "copy", "-q", "oci:" + from.path(), back});
      CAPTURE(saved.err);
      REQUIRE(saved.status == 0);
      program.copy(back, "web");
      CHECK(program({"inspect", "--config", "web"}).out == config.out);
    }
  }
}
