// SPDX-License-Identifier: Apache-2.0
// What login and logout write: the right file, for the user alone, with all that else is in it.
#include "registry/login.h"
#include "registry_fixture.h"

#include <sys/stat.h>

namespace onggi::image::test {
namespace {

const Credentials kUser = {"user", "sec:ret", {}};

TEST_CASE("a first login makes its file for the user alone, and is found again") {
  const TemporaryDirectory directory;
  const CredentialSource source = {{directory.path() + "/new/containers/auth.json"}};
  const std::string file = login_file(source, "host.example").value();
  CHECK(store_login(file, "host.example:5000", kUser));
  struct stat info = {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  const auto found = find_credentials(source, "host.example:5000", "a/b");
  REQUIRE(found);
  REQUIRE(found.value());
  CHECK(found.value()->user == "user");
  CHECK(found.value()->password == "sec:ret");
  CHECK(std::filesystem::exists(directory.path() + "/new/containers/.auth.json.new") == false);
}

TEST_CASE("a user of docker keeps config.json, with docker's spelling and all that else is there") {
  const TemporaryDirectory directory;
  const std::string config = directory.write(
      "config.json", R"({"psFormat":"x","auths":{"quay.example":{"auth":"YTpi"}},"z":[1]})");
  const CredentialSource source = {{directory.path() + "/none/auth.json", config}};
  REQUIRE(login_file(source, "docker.io").value() == config);
  CHECK(store_login(config, "docker.io", kUser));
  CHECK(directory.read("config.json") ==
        "{\n\t\"psFormat\": \"x\",\n\t\"auths\": {\n\t\t\"quay.example\": {\n\t\t\t\"auth\": "
        "\"YTpi\"\n\t\t},\n\t\t\"https://index.docker.io/v1/\": {\n\t\t\t\"auth\": "
        "\"dXNlcjpzZWM6cmV0\"\n\t\t}\n\t},\n\t\"z\": [\n\t\t1\n\t]\n}\n");
}

TEST_CASE("a login for the same registry replaces the one before, wherever that is") {
  const TemporaryDirectory directory;
  directory.write("auth.json", R"({"auths":{}})");
  directory.write("config.json", R"({"auths":{"https://host.example/v2/":{"auth":"YTpi"}}})");
  const CredentialSource source = {
      {directory.path() + "/auth.json", directory.path() + "/config.json"}};
  const std::string file = login_file(source, "host.example").value();
  CHECK(file == directory.path() + "/config.json");
  CHECK(store_login(file, "host.example", kUser));
  CHECK(find_credentials(source, "host.example", "a").value()->user == "user");
  CHECK(directory.read("config.json").find("YTpi") == std::string::npos);
}

TEST_CASE("a file behind a symbolic link is replaced there") {
  const TemporaryDirectory directory;
  directory.write("real.json", "");
  const std::string link = directory.path() + "/auth.json";
  std::filesystem::create_symlink("real.json", link);
  CHECK(store_login(link, "host.example", kUser));
  CHECK(std::filesystem::is_symlink(link));
  CHECK(directory.read("real.json").find("dXNlcjpzZWM6cmV0") != std::string::npos);
}

TEST_CASE("a file that is no JSON is not written over") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("auth.json", "{\"auths\": ");
  CHECK_FALSE(login_file({{file}}, "host.example"));
  CHECK_FALSE(store_login(file, "host.example", kUser));
  CHECK(directory.read("auth.json") == "{\"auths\": ");
}

TEST_CASE("where a helper program is named, it gets the secret and the file does not") {
  const TemporaryDirectory directory;
  const std::string helper = directory.write("docker-credential-test",
                                             "#!/bin/sh\ncat >" + directory.path() + "/$1.txt\n");
  chmod(helper.c_str(), 0755);
  const std::string path = getenv("PATH");
  setenv("PATH", (directory.path() + ":" + path).c_str(), 1);
  const std::string file =
      directory.write("config.json", R"({"credHelpers":{"host.example":"test"}})");
  CHECK(store_login(file, "host.example", kUser));
  CHECK(directory.read("store.txt") ==
        R"({"ServerURL":"host.example","Username":"user","Secret":"sec:ret"})");
  CHECK(directory.read("config.json").find("dXNlcjpzZWM6cmV0") == std::string::npos);
  CHECK(directory.read("config.json").find("\"host.example\": {}") != std::string::npos);
  CHECK(remove_login({{file}}, "host.example").value());
  CHECK(directory.read("erase.txt") == "host.example\n");
  CHECK(directory.read("config.json").find("\"host.example\": {}") == std::string::npos);
  setenv("PATH", path.c_str(), 1);
}

TEST_CASE("logout takes a registry out of every file, and says when it was in none") {
  const TemporaryDirectory directory;
  const CredentialSource source = {
      {directory.write("auth.json", R"({"auths":{"docker.io":{},"index.docker.io":{},"b.c":{}}})"),
       directory.write("config.json",
                       R"({"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"}}})"),
       directory.write(".dockercfg", R"({"index.docker.io":{"auth":"YTpi"}})")}};
  CHECK(remove_login(source, "docker.io").value());
  CHECK_FALSE(find_credentials(source, "docker.io", "a").value());
  CHECK(directory.read("auth.json").find("b.c") != std::string::npos);
  CHECK_FALSE(remove_login(source, "docker.io").value());
}

TEST_CASE("credentials that are given come before all files, and are checked by the registry") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.has("authorization") &&
        request.headers.at("authorization") == "Basic dXNlcjpzZWM6cmV0")
      return Answer{200};
    return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
  });
  HttpLibrary library;
  TestClock clock;
  for (const char* password : {"sec:ret", "wrong"}) {
    AccessOptions options = {{{}, 30}, {{"/nonexistent"}, 5}, false};
    options.credentials.given = Credentials{"user", password, {}};
    Access access(parse_reference(server.host() + "/a").value(), options, clock);
    const Result<> checked = Registry(access).check_credentials();
    CHECK(bool(checked) == (std::string(password) == "sec:ret"));
    if (!checked) CHECK(says(checked.error(), server.host() + ": the registry rejected"));
  }
}

}  // namespace
}  // namespace onggi::image::test
