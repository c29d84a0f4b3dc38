// SPDX-License-Identifier: Apache-2.0
// What a user of the store's commands sees.
#include "image_fixture.h"
#include "model/media_type.h"
#include "store/image.h"
#include "store/image_edit.h"
#include "store/uses.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <rapidjson/document.h>
#include <sys/file.h>
#include <unistd.h>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;

class Program {
 public:
  explicit Program(const Scratch& scratch) : root_(scratch.path("store")) {}
  Run operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), {ONGGI_IMAGE, "--root", root_});
    return run(words);
  }
  std::string out(const std::vector<std::string>& words) const {
    const Run result = (*this)(words);
    CAPTURE(result.err);
    CHECK(result.status == 0);
    return result.out;
  }

 private:
  std::string root_;
};

bool holds(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("the text is: " << text);
  return false;
}

std::string layer(const std::string& name) {
  return Tar().file(name, name + " content").bytes();
}

size_t files_in(const std::string& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), {}));
}

rapidjson::Document json_of(const std::string& text) {
  rapidjson::Document json;
  json.Parse(text.data(), text.size());
  REQUIRE(!json.HasParseError());
  return json;
}

}  // namespace

TEST_SUITE("store: commands") {
  TEST_CASE("an image is copied in, listed, tagged, inspected, untagged and removed") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor image = from.image({layer("a"), layer("b")});
    from.name(image, "web");
    CHECK(program.out({"copy", "oci:" + from.path() + ":web", "web"}) ==
          image.digest.text() + "\n");
    CHECK(program.out({"list", "--quiet"}) == "docker.io/library/web:latest\n");
    const std::string list = program.out({"list"});
    CHECK(holds(list, "docker.io/library/web:latest  " +
                          std::string(image.digest.hex().substr(0, 12)) + "  linux/amd64"));
    CHECK(holds(list, "2026-01-02T03:04:05"));

    program.out({"tag", "web", "localhost:5000/team/web:1.2"});
    const rapidjson::Document all = json_of(program.out({"list", "--format", "json"}));
    REQUIRE(all.Size() == 2);
    CHECK(all[1u]["name"].GetString() == std::string("localhost:5000/team/web:1.2"));
    CHECK(all[1u]["digest"].GetString() == image.digest.text());
    CHECK(all[1u]["platforms"][0u].GetString() == std::string("linux/amd64"));
    CHECK(!all[1u]["damaged"].GetBool());

    CHECK(holds(program.out({"inspect", "web"}), "/bin/sh"));
    CHECK(program.out({"inspect", "--raw", "web"}) ==
          scratch.read("from/blobs/sha256/" + std::string(image.digest.hex())));
    const rapidjson::Document document =
        json_of(program.out({"inspect", "--format", "json", "oci:" + from.path() + ":web"}));
    CHECK(document["config"]["architecture"].GetString() == std::string("amd64"));
    CHECK(document["manifest"]["layers"].Size() == 2);
    CHECK(document["chainIDs"].Size() == 2);
    CHECK(holds(program.out({"history", "web"}), "COPY a b"));
    CHECK(
        json_of(program.out({"history", "--format", "json", "web"}))[0u]["createdBy"].GetString() ==
        std::string("COPY a b"));

    program.out({"untag", "web"});
    CHECK(program.out({"list", "--quiet"}) == "localhost:5000/team/web:1.2\n");
    program.out({"untag", "localhost:5000/team/web:1.2"});
    CHECK(program.out({"list", "--quiet"}) == image.digest.text() + "\n");
    program.out({"remove", std::string(image.digest.hex().substr(0, 12))});
    CHECK(program.out({"list", "--quiet"}).empty());
    CHECK(files_in(scratch.path("store/blobs/sha256")) == 0);
    CHECK(files_in(scratch.path("store/layers")) == 0);
    CHECK(files_in(scratch.path("store/trash")) == 0);
  }

  TEST_CASE("names that are not there are told, with what to do") {
    const Scratch scratch;
    const Program program(scratch);
    for (const char* command : {"inspect", "history", "untag", "remove"}) {
      CAPTURE(command);
      const Run result = program({command, "nobody"});
      CHECK(result.status == 1);
      CHECK(holds(result.err, "no image 'docker.io/library/nobody:latest'"));
      CHECK(holds(result.err, "onggi-image list"));
    }
    CHECK(program({"tag", "nobody", "x"}).status == 1);
    const Run upper = program({"copy", "oci:/nonexistent", "Upper"});
    CHECK(upper.status == 1);
    CHECK(holds(upper.err, "/nonexistent"));
  }

  TEST_CASE("an image with a wrong diffID, or layers that cannot be unpacked, gets no name") {
    if (geteuid() != 0) {
      MESSAGE("SKIP: layers are made by root");
      return;
    }
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor lying =
        from.image({layer("a"), layer("b")}, "amd64", kCreated, {layer("a"), layer("c")});
    const Descriptor hostile =
        from.image({layer("a"), Tar().add({.name = "./", .type = '2', .link = "/etc"}).bytes()});
    from.name(lying, "lying");
    from.name(hostile, "hostile");
    const Run first = program({"copy", "--quiet", "oci:" + from.path() + ":lying", "a"});
    CHECK(first.status == 1);
    CHECK(holds(first.err, "layers[1]: the tar's digest is " + digest_of(layer("b")).text()));
    const Run second = program({"copy", "--quiet", "oci:" + from.path() + ":hostile", "a"});
    CHECK(second.status == 1);
    CHECK(holds(second.err, "layers[1] './': the root must be a directory"));
    CHECK(program.out({"list", "--quiet"}).empty());
    program.out({"gc"});
    CHECK(fs::is_empty(scratch.path("store/blobs/sha256")));
    CHECK(fs::is_empty(scratch.path("store/layers")));
  }

  TEST_CASE("a copy that has nothing to do with the store makes none") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a")}), "a");
    program.out({"copy", "--quiet", "oci:" + from.path(), "oci:" + scratch.path("to")});
    program.out({"inspect", "oci:" + scratch.path("to")});
    CHECK(!scratch.exists("store"));
  }

  TEST_CASE("a copy between layouts needs no name, and takes all platforms") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor index =
        from.index({from.image({layer("a")}, "amd64"), from.image({layer("b")}, "arm64")});
    from.name(index, "");
    const Run all = program({"copy", "oci:" + from.path(), "oci:" + scratch.path("to") + ":v1"});
    CHECK(all.status == 0);
    CHECK(all.out == index.digest.text() + "\n");
    CHECK(holds(all.err, ": copied"));
    const Run one = program({"copy", "--quiet", "--platform", "linux/arm64", "oci:" + from.path(),
                             "oci:" + scratch.path("to") + ":v2"});
    CHECK(one.status == 0);
    CHECK(one.err.empty());
    CHECK(holds(scratch.read("to/index.json"), "\"v1\""));
    CHECK(holds(scratch.read("to/index.json"), "\"v2\""));
    const Run none = program({"copy", "--platform", "linux/s390x", "oci:" + from.path(), "x"});
    CHECK(none.status == 1);
    CHECK(holds(none.err, "no image for linux/s390x"));
    CHECK(holds(none.err, "linux/amd64, linux/arm64"));
  }

  TEST_CASE("gc removes what nothing needs, and nothing else") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a"), layer("b")}), "first");
    from.name(from.image({layer("a"), layer("c")}), "second");
    program.out({"copy", "oci:" + from.path() + ":first", "first"});
    program.out({"copy", "oci:" + from.path() + ":second", "second"});
    const std::string whole = listing(scratch.path("store/blobs"));
    const bool root = geteuid() == 0;
    CHECK(holds(program.out({"gc"}), "removed 0 blobs (0 B) and 0 layers"));
    CHECK(listing(scratch.path("store/blobs")) == whole);
    if (root) CHECK(files_in(scratch.path("store/layers")) == 3);

    // The name moves: the old image has none any more.
    program.out({"tag", "first", "second"});
    scratch.write("store/partial/sha256-" + std::string(64, '0'), "some");
    fs::create_directories(scratch.path("store/trash/1/left"));
    fs::create_directories(scratch.path("store/work/sha256-1/new/fs"));
    scratch.write("store/.index.json.new", "{");
    const rapidjson::Document removed = json_of(program.out({"gc", "--format", "json"}));
    CHECK(removed["blobs"].GetInt() == 3);  // manifest, config and one layer
    if (root) CHECK(removed["layers"].GetInt() == 1);
    CHECK(files_in(scratch.path("store/blobs/sha256")) == 4);
    for (const char* empty : {"partial", "trash", "work"})
      CHECK(fs::is_empty(scratch.path(std::string("store/") + empty)));
    CHECK(!scratch.exists("store/.index.json.new"));
    CHECK(holds(program.out({"verify"}), "no damage found"));
  }

  TEST_CASE("gc keeps what containers and bundles use") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor first = from.image({layer("a")}), second = from.image({layer("b")});
    from.name(first, "first");
    from.name(second, "second");
    program.out({"copy", "oci:" + from.path() + ":first", "first"});
    program.out({"copy", "oci:" + from.path() + ":second", "second"});
    fs::create_directories(scratch.path("store/containers/one"));
    scratch.write("store/containers/one/container.json",
                  R"({"id":"one","manifest":")" + first.digest.text() + "\"}");
    fs::create_directories(scratch.path("bundle"));
    {
      const Store store = Store::open(scratch.path("store"), LockKind::shared).value();
      REQUIRE(record_bundle(store, scratch.path("bundle"), second.digest));
    }
    program.out({"remove", "first"});
    program.out({"remove", "second"});
    CHECK(files_in(scratch.path("store/blobs/sha256")) == 6);
    fs::remove_all(scratch.path("store/containers/one"));
    fs::remove(scratch.path("bundle"));
    CHECK(holds(program.out({"gc"}), "removed 6 blobs"));
    CHECK(fs::is_empty(scratch.path("store/bundles")));
  }

  TEST_CASE("gc waits for nobody: a store in use is told") {
    const Scratch scratch;
    const Program program(scratch);
    program.out({"list"});
    const UniqueFd used(open(scratch.path("store/lock").c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(flock(used.get(), LOCK_SH) == 0);
    const Run result = program({"gc"});
    CHECK(result.status == 1);
    CHECK(holds(result.err, "in use by another command"));
  }

  TEST_CASE("gc with a damaged manifest removes nothing") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor image = from.image({layer("a")});
    from.name(image, "a");
    program.out({"copy", "oci:" + from.path() + ":a", "a"});
    const std::string manifest = "store/blobs/sha256/" + std::string(image.digest.hex());
    std::string text = scratch.read(manifest);
    text[10] ^= 1;
    scratch.write(manifest, text);
    const Run result = program({"gc"});
    CHECK(result.status == 1);
    CHECK(holds(result.err, "nothing was removed"));
    CHECK(files_in(scratch.path("store/blobs/sha256")) == 3);
    CHECK(holds(program.out({"list"}), "(damaged)"));
  }

  TEST_CASE("verify names what is damaged, and the way back to an image that is whole") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a"), layer("b")}), "a");
    const std::vector<std::string> pull = {"copy", "oci:" + from.path() + ":a", "a"};
    program.out(pull);
    const Digest broken = digest_of(layer("b"));
    const std::string path = "store/blobs/sha256/" + std::string(broken.hex());
    std::string bytes = scratch.read(path);
    bytes[600] ^= 1;
    scratch.write(path, bytes);
    const Run damaged = program({"verify"});
    CHECK(damaged.status == 1);
    CHECK(holds(damaged.out, "docker.io/library/a:latest: "));
    CHECK(holds(damaged.out, broken.text()));
    CHECK(holds(damaged.out, "1 damaged; 'onggi-image verify --remove-damaged'"));
    const Run removed = program({"verify", "--remove-damaged", "--format", "json"});
    CHECK(removed.status == 1);
    CHECK(json_of(removed.out)["damages"][0u]["path"].GetString() ==
          "blobs/sha256/" + std::string(broken.hex()));
    CHECK(!scratch.exists(path));
    program.out(pull);
    CHECK(holds(program.out({"verify"}), "no damage found"));
  }

  TEST_CASE("verify and gc accept artifacts and attestations, and see what is damaged in them") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const std::string config_type(media_type::kConfig);
    const auto artifact = [&](const std::string& config, const std::string& type,
                              const std::string& statement, const std::string& layer_type) {
      const std::string manifest = R"({"schemaVersion":2,"mediaType":")" +
                                   std::string(media_type::kManifest) + R"(","config":)" +
                                   descriptor_json(from.blob(config, type)) + R"(,"layers":[)" +
                                   descriptor_json(from.blob(statement, layer_type)) + "]}";
      return from.blob(manifest, std::string(media_type::kManifest));
    };
    const std::string statement = R"({"_type":"https://in-toto.io/Statement/v0.1"})";
    const std::string in_toto = "application/vnd.in-toto+json";
    const std::string attested = R"({"architecture":"unknown","os":"unknown","rootfs":)"
                                 R"({"type":"layers","diff_ids":[")" +
                                 digest_of(statement).text() + R"("]}})";
    const Descriptor image = from.image({layer("a")});
    const std::vector<Descriptor> others = {
        artifact(attested, config_type, statement, in_toto),
        artifact("{}", "application/vnd.oci.empty.v1+json", statement, in_toto),
        artifact("{}", config_type, "no tar", std::string(media_type::kLayer)),
        artifact("chart", "application/vnd.cncf.helm.config.v1+json", "no tar",
                 std::string(media_type::kLayerGzip)),
        from.blob("anything", "application/x-anything"),
    };
    from.name(from.index({image, others[0], others[4]}), "attested");
    for (size_t i = 1; i < 4; ++i) from.name(others[i], "artifact" + std::to_string(i));
    fs::create_directories(scratch.path("store"));
    REQUIRE(run({"cp", "-r", from.path() + "/.", scratch.path("store")}).status == 0);
    CHECK(holds(program.out({"verify"}), "no damage found"));
    program.out({"gc"});
    CHECK(scratch.exists("store/blobs/sha256/" + std::string(digest_of(statement).hex())));

    const std::string path = "store/blobs/sha256/" + std::string(digest_of(statement).hex());
    scratch.write(path, std::string(statement.size(), 'x'));
    CHECK(holds(program({"verify", "--remove-damaged"}).out, "1 damaged, and removed"));
    CHECK(!scratch.exists(path));
  }

  TEST_CASE("verify tells what pulling again mends from what was published so") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    const Descriptor wrong = from.image({layer("a")}, "amd64", kCreated, {layer("b")});
    const Descriptor right = from.image({layer("c")});
    from.name(from.index({wrong, right}), "both");
    fs::create_directories(scratch.path("store"));
    REQUIRE(run({"cp", "-r", from.path() + "/.", scratch.path("store")}).status == 0);
    const std::string manifest = "store/blobs/sha256/" + std::string(right.digest.hex());
    scratch.write(manifest, std::string(right.size, ' '));
    const Run result = program({"verify", "--remove-damaged"});
    CHECK(result.status == 1);
    CHECK(holds(result.out, "1 damaged, and removed: pull the images again; 1 wrong as published"));
    CHECK(!scratch.exists(manifest));
    CHECK(scratch.exists("store/blobs/sha256/" + std::string(digest_of(layer("a")).hex())));
    CHECK(holds(program({"verify"}).out, ": 1 wrong as published: not removed"));
  }

  TEST_CASE("verify sees a wrong diffID, and a layer without files") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a")}), "a");
    program.out({"copy", "oci:" + from.path() + ":a", "a"});
    if (geteuid() != 0) {
      MESSAGE("SKIP: layers are made by root");
      return;
    }
    const fs::path snapshot = *fs::directory_iterator(scratch.path("store/layers"));
    fs::remove_all(snapshot / "fs");
    const Run result = program({"verify"});
    CHECK(result.status == 1);
    CHECK(holds(result.out, snapshot.filename().string() + " has no files"));
    CHECK(program({"verify", "--remove-damaged"}).status == 1);
    program.out({"copy", "oci:" + from.path() + ":a", "a"});
    CHECK(fs::exists(snapshot / "fs/a"));
  }

  TEST_CASE("config completes the history of an image that has less, or more, than layers") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a"), layer("b"), layer("c")}), "bare");
    program.out({"copy", "oci:" + from.path() + ":bare", "bare"});
    const std::string known = R"([{"created_by":"a"},{"created_by":"env","empty_layer":true})";
    const std::string lists[] = {"", "null", "[]", known + "]", known + ",{},{},{},{}]"};
    for (size_t i = 0; i < std::size(lists); ++i) {
      CAPTURE(lists[i]);
      const Layout bare = Layout::open(scratch.path("from")).value();
      const Image base = read_image(bare, bare.index().manifests[0], host_platform()).value();
      Image edited = base;
      std::string& raw = edited.config.raw;
      raw.replace(raw.find("\"history\""), 9, "\"replaced\"");
      if (!lists[i].empty()) raw.insert(raw.rfind('}'), ",\"history\":" + lists[i]);
      ImageEdit edit = ImageEdit::begin(edited, kCreated).value();
      edit.add_history("config", "", true);
      const LayoutWriter writer =
          LayoutWriter::open(UniqueFd(open(scratch.path("from").c_str(), O_RDONLY)), "partial")
              .value();
      const Descriptor made = edit.write(writer).value();
      const Image image = read_image(bare, made, host_platform()).value();
      size_t layers = 0;
      for (const History& each : image.config.history) layers += each.empty_layer ? 0 : 1;
      CHECK(layers == 3);
      CHECK(image.config.history.back().created_by == "config");
      if (i >= 3) CHECK(image.config.history.front().created_by == "a");
    }
    program.out({"config", "--user", "5", "bare", "changed"});
    CHECK(holds(program.out({"history", "changed"}), "onggi-image config"));
  }

  TEST_CASE("what an image says cannot drive the terminal") {
    const Scratch scratch;
    const Program program(scratch);
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer("a")}, "amd64", "\\u001b[31mred\\nline"), "a");
    program.out({"copy", "oci:" + from.path() + ":a", "a"});
    for (const char* command : {"list", "inspect", "history"}) {
      std::vector<std::string> words = {command};
      if (words[0] != "list") words.emplace_back("a");
      const std::string text = program.out(words);
      CHECK(text.find('\x1b') == std::string::npos);
      CHECK(holds(text, "\\x1b[31mred"));
    }
  }
}
