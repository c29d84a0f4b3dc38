// SPDX-License-Identifier: Apache-2.0
// What names without a registry stand for: aliases and the search list of registries.conf.
#include "store/short_names.h"

#include "registry_fixture.h"

namespace onggi::image::test {
namespace {

using Texts = std::vector<std::string>;

// A user with these files, and with the choices kept below XDG_CACHE_HOME.
class User {
 public:
  explicit User(const std::string& conf) {
    setenv("CONTAINERS_REGISTRIES_CONF", directory_.write("registries.conf", conf).c_str(), 1);
    setenv("XDG_CACHE_HOME", directory_.path().c_str(), 1);
  }
  ~User() {
    unsetenv("CONTAINERS_REGISTRIES_CONF");
    unsetenv("XDG_CACHE_HOME");
  }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
};

Texts remote(std::string_view name) {
  const Result<NameChoices> choices = remote_names(name);
  return choices ? choices.value().names : Texts{text_of(choices.error())};
}
Texts local(std::string_view name) {
  const auto names = local_names(name);
  return names ? names.value() : Texts{text_of(names.error())};
}

constexpr const char* kBoth = R"(
unqualified-search-registries = ["a.example", "docker.io"]
[aliases]
"web" = "registry.example/team/web"
"team/db" = "registry.example:5000/db"
)";

TEST_CASE("without registries.conf a short name is Docker Hub's") {
  const User user("");
  CHECK(remote("web") == Texts{"docker.io/library/web:latest"});
  CHECK(local("team/web:1") == Texts{"docker.io/team/web:1", "docker.io/team/web:1"});
}

TEST_CASE("an alias decides, with the tag and the digest of the short name") {
  const User user(kBoth);
  const std::string digest = "@sha256:" + std::string(64, 'a');
  CHECK(remote("web") == Texts{"registry.example/team/web:latest"});
  CHECK(remote("web:2") == Texts{"registry.example/team/web:2"});
  CHECK(remote("web" + digest) == Texts{"registry.example/team/web" + digest});
  CHECK(remote("team/db:1") == Texts{"registry.example:5000/db:1"});
  CHECK(local("web") == Texts{"registry.example/team/web:latest", "docker.io/library/web:latest"});
  for (const std::string full : {"docker.io/library/web:latest", "localhost/web:latest"})
    CHECK(remote(full) == Texts{full});
}

TEST_CASE("without an alias, the search list has the choices") {
  const User user(kBoth);
  CHECK(remote("other:1") == Texts{"a.example/other:1", "docker.io/library/other:1"});
  CHECK(remote("db") == Texts{"a.example/db:latest", "docker.io/library/db:latest"});
  CHECK(remote_names("other").value().mode == ShortNameMode::enforcing);
}

TEST_CASE("the mode disabled knows no aliases") {
  const User user("short-name-mode = \"disabled\"\n" + std::string(kBoth));
  CHECK(remote("web") == Texts{"a.example/web:latest", "docker.io/library/web:latest"});
}

TEST_CASE("later files replace single aliases and the whole search list") {
  const TemporaryDirectory directory;
  const Texts files = {directory.write("1", kBoth),
                       directory.write("2",
                                       "unqualified-search-registries = [\"b.example\"]\n"
                                       "short-name-mode = \"permissive\"\n"
                                       "[aliases]\n\"web\" = \"\"\n\"new\" = \"c.example/new\"")};
  const auto conf = read_registries_conf(files);
  REQUIRE(conf);
  CHECK(conf.value().search == Texts{"b.example"});
  CHECK(conf.value().mode == ShortNameMode::permissive);
  CHECK(conf.value().aliases ==
        std::map<std::string, std::string>{{"team/db", "registry.example:5000/db"},
                                           {"new", "c.example/new"}});
}

TEST_CASE("a choice is kept for the next time, beside the others") {
  const User user(kBoth);
  REQUIRE(remember_choice("other:1", "a.example/other:1"));
  REQUIRE(remember_choice("more", "docker.io/library/more:latest"));
  CHECK(remote("other:3") == Texts{"a.example/other:3"});
  CHECK(remote("more") == Texts{"docker.io/library/more:latest"});
  CHECK(user.directory().read("containers/short-name-aliases.conf") ==
        "[aliases]\n  \"more\" = \"docker.io/library/more\"\n"
        "  \"other\" = \"a.example/other\"\n");
}

TEST_CASE("what is wrong with short names in a file is said") {
  struct Row {
    const char* text;
    const char* message;
  };
  for (const Row& row :
       {Row{"aliases = 1", "aliases must be a table"},
        Row{"[aliases]\na = 1", "aliases.\"a\" must be text"},
        Row{"[aliases]\n\"a:1\" = \"b.c/d\"", "without registry, tag and digest"},
        Row{"[aliases]\n\"b.c/a\" = \"b.c/d\"", "without registry, tag and digest"},
        Row{"[aliases]\na = \"b/c\"", "must be a name with registry"},
        Row{"[aliases]\na = \"b.c/d:1\"", "without tag and digest"},
        Row{"unqualified-search-registries = \"a.b\"", "must be an array of texts"},
        Row{"unqualified-search-registries = [1]", "must be an array of texts"},
        Row{"unqualified-search-registries = [\"a b\"]", "'a b' is not a registry"},
        Row{"short-name-mode = \"x\"", "must be enforcing, permissive or disabled"}}) {
    CAPTURE(row.text);
    const User user(row.text);
    const auto names = remote_names("web");
    REQUIRE_FALSE(names);
    CHECK(says(names.error(), row.message));
  }
}

}  // namespace
}  // namespace onggi::image::test
