// SPDX-License-Identifier: Apache-2.0
// Which entry of which file counts, and what credential helpers are asked.
#include "registry/credentials.h"
#include "registry_fixture.h"

#include <sys/stat.h>

namespace onggi::image::test {
namespace {

// "user:password", "token:...", "none" or "error: ...".
std::string found(const CredentialSource& source, const char* registry = "host.example",
                  const char* repository = "team/app") {
  const auto result = find_credentials(source, registry, repository);
  if (!result) return "error: " + text_of(result.error());
  if (!result.value()) return "none";
  const Credentials& credentials = *result.value();
  if (!credentials.identity_token.empty()) return "token:" + credentials.identity_token;
  return credentials.user + ":" + credentials.password;
}

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (old_) {
      setenv(name_, old_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// A program of this name on the PATH, which runs `script` with what it was told in $server.
void add_helper(const TemporaryDirectory& directory, const std::string& name,
                const std::string& script) {
  const std::string path = directory.write(
      "docker-credential-" + name, "#!/bin/sh\n[ \"$*\" = get ] || exit 9\nread server\n" + script);
  chmod(path.c_str(), 0755);
}

TEST_CASE("the most specific key counts") {
  TemporaryDirectory directory;
  const std::string file = directory.write("auth.json", R"({"auths": {
      "host.example": {"auth": "YTox"},
      "host.example/team": {"auth": "Yjoy"},
      "host.example/team/app": {"auth": "Yzoz"}}})");
  const CredentialSource source = {{file}};
  CHECK(found(source) == "c:3");
  CHECK(found(source, "host.example", "team/other") == "b:2");
  CHECK(found(source, "host.example", "team2/app") == "a:1");
  CHECK(found(source, "other.example") == "none");
}

TEST_CASE("keys may have a scheme and a version, and Docker Hub has many names") {
  TemporaryDirectory directory;
  const std::string file = directory.write("config.json", R"({"auths": {
      "https://index.docker.io/v1/": {"auth": "YTox"},
      "https://host.example/v2/": {"auth": "Yjoy"}}})");
  CHECK(found({{file}}, "docker.io", "library/alpine") == "a:1");
  CHECK(found({{file}}) == "b:2");
}

TEST_CASE("a password may have colons, and NULs behind it do not count") {
  TemporaryDirectory directory;
  CHECK(found({{directory.write(
            "a", R"({"auths": {"host.example": {"auth": "YTpiOmMAAA=="}}})")}}) == "a:b:c");
}

TEST_CASE("an identity token comes before the password") {
  TemporaryDirectory directory;
  CHECK(found({{directory.write(
            "a", R"({"auths": {"host.example": {"auth": "YTo=", "identitytoken": "T"}}})")}}) ==
        "token:T");
}

TEST_CASE("files are looked at in their order, and those that do not exist are passed") {
  TemporaryDirectory directory;
  const std::string empty = directory.write("empty", "{}"), blank = directory.write("blank", "");
  const std::string old = directory.write(".dockercfg", R"({"host.example": {"auth": "YTox"}})");
  CHECK(found({{directory.path() + "/none", empty, blank, old}}) == "a:1");
}

TEST_CASE("a file that is no JSON is an error that names it") {
  TemporaryDirectory directory;
  const std::string file = directory.write("auth.json", "{");
  CHECK(found({{file}}).find("'" + file + "' is not JSON") != std::string::npos);
  directory.write("auth.json", R"({"auths": {"host.example": {"auth": "!"}}})");
  CHECK(found({{file}}).find("is not base64 of user:password") != std::string::npos);
}

TEST_CASE("environment variables say where the files are") {
  const Variable authfile("REGISTRY_AUTH_FILE", "/r"), session("XDG_RUNTIME_DIR", "/s"),
      config("XDG_CONFIG_HOME", "/c"), docker("DOCKER_CONFIG", "/d"), home("HOME", "/h");
  using Files = std::vector<std::string>;
  CHECK(credential_source("/given").files == Files{"/given"});
  CHECK(credential_source("").files == Files{"/r"});
  const Variable none("REGISTRY_AUTH_FILE", "");
  CHECK(credential_source("").files == Files{"/s/containers/auth.json", "/c/containers/auth.json",
                                             "/d/config.json", "/h/.dockercfg"});
  const Variable no_config("XDG_CONFIG_HOME", ""), no_docker("DOCKER_CONFIG", "");
  CHECK(credential_source("").files[1] == "/h/.config/containers/auth.json");
  CHECK(credential_source("").files[2] == "/h/.docker/config.json");
}

TEST_CASE("a helper for the host beats the store, and the store beats the file") {
  TemporaryDirectory directory;
  const Variable path("PATH", directory.path() + ":" + getenv("PATH"));
  add_helper(directory, "one", R"(echo "{\"Username\": \"one\", \"Secret\": \"$server\"}")");
  add_helper(directory, "two", R"(echo '{"Username": "<token>", "Secret": "two"}')");
  const std::string file = directory.write("config.json", R"({
      "credHelpers": {"host.example": "one"}, "credsStore": "two",
      "auths": {"host.example": {"auth": "YTox"}, "other.example": {}}})");
  CHECK(found({{file}}) == "one:host.example");
  CHECK(found({{file}}, "other.example") == "token:two");
}

TEST_CASE("a helper is told Docker Hub's old address") {
  TemporaryDirectory directory;
  const Variable path("PATH", directory.path() + ":" + getenv("PATH"));
  add_helper(directory, "one", R"(echo "{\"Username\": \"one\", \"Secret\": \"$server\"}")");
  const std::string file = directory.write("config.json", R"({"credsStore": "one"})");
  CHECK(found({{file}}, "docker.io") == "one:https://index.docker.io/v1/");
}

TEST_CASE("a helper that knows nothing is no error; one that fails, hangs or is not there is") {
  TemporaryDirectory directory;
  const Variable path("PATH", directory.path() + ":" + getenv("PATH"));
  add_helper(directory, "none", "echo credentials not found in native keychain; exit 1");
  add_helper(directory, "broken", "exit 3");
  add_helper(directory, "hangs", "exec sleep 1000");
  add_helper(directory, "endless", "exec cat /dev/zero");
  const auto with_store = [&](const char* name) {
    const std::string text = std::string(R"({"credsStore": ")") + name + R"("})";
    return found({{directory.write("config.json", text)}, 1});
  };
  CHECK(with_store("none") == "none");
  CHECK(with_store("broken").find("docker-credential-broken failed for host.example") !=
        std::string::npos);
  CHECK(with_store("hangs").find("did not answer within 1 seconds") != std::string::npos);
  CHECK(with_store("endless").find("wrote more than") != std::string::npos);
  CHECK(with_store("missing").find("exec 'docker-credential-missing'") != std::string::npos);
  CHECK(with_store("../evil").find("is not a valid credential helper name") != std::string::npos);
}

}  // namespace
}  // namespace onggi::image::test
