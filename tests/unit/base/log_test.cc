// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/hints.h"
#include "base/json_writer.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <cerrno>
#include <string>
#include <vector>

namespace onggi {
namespace {

TEST_CASE("an error is one line: program, command, place, call, reason, advice") {
  const Error error = at_place(system_error(-ENOENT, "open_tree", "/srv/data"), "mounts[3]");
  CHECK(log::error_text("create web", error) ==
        "onggi: create web: mounts[3]: open_tree '/srv/data': no such file or directory (the "
        "source of a bind mount "
        "must exist)");
  CHECK(log::error_text("", state_error("container not running")) ==
        "onggi: container not running");
}

TEST_CASE("an error's own hint comes before the table's") {
  const Error error = with_hint(system_error(-ENOENT, "open_tree", "/x"), "look there");
  CHECK(log::error_text("", error) ==
        "onggi: open_tree '/x': no such file or directory (look there)");
}

TEST_CASE("an errno's words begin as Go writes them") {
  CHECK(log::errno_text(EACCES) == "permission denied");
  CHECK(log::errno_text(EISDIR) == "is a directory");
  CHECK(log::errno_text(EREMOTEIO) == "remote I/O error");
  CHECK(log::errno_text(ERFKILL) == "operation not possible due to RF-kill");
  CHECK(log::errno_text(EDOTDOT) == "RFS specific error");
  CHECK(log::errno_text(4000) == "unknown errno");
}

TEST_CASE("names chosen by a container's author cannot forge lines") {
  const Error error = system_error(-EACCES, "open", "/x\nonggi: all is well\x1b[1A");
  CHECK(log::error_text("create a\nb", error) ==
        "onggi: create a\\nb: open '/x\\nonggi: all is well\\x1b[1A': permission denied");
}

TEST_CASE("an error in JSON is one object with the keys engines read") {
  const Error error = at_place(system_error(-ENOENT, "open_tree", "/srv/\"data\""), "mounts[3]");
  const std::string text = log::error_json("create web", error, "2026-01-02T03:04:05Z");
  CHECK(text.find('\n') == std::string::npos);
  rapidjson::Document json;
  json.Parse(text.c_str());
  REQUIRE(json.IsObject());
  const auto get = [&](const char* key) { return std::string(json[key].GetString()); };
  CHECK(get("level") == "error");
  CHECK(get("time") == "2026-01-02T03:04:05Z");
  CHECK(get("msg").starts_with("mounts[3]: open_tree '/srv/\"data\"': no such file or directory"));
  CHECK(get("command") == "create web");
  CHECK(get("field") == "mounts[3]");
  CHECK(get("errno") == "ENOENT");
  CHECK(get("code") == "system");
}

TEST_CASE("an error without errno or place has no such keys") {
  const std::string text = log::error_json("", make_error(ErrorKind::invalid_config, "no"), "t");
  CHECK(text == R"({"msg":"no","level":"error","time":"t","code":"invalid_config"})");
}

TEST_CASE("hints are found by call, errno and object") {
  CHECK(hint_for("move_mount '/proc'", ENOSPC).find("fs.mount-max") != std::string_view::npos);
  CHECK(hint_for("clone3", EPERM).find("max_user_namespaces") != std::string_view::npos);
  CHECK(hint_for("mkdir '/sys/fs/cgroup/web'", ENOSPC).find("cgroup.max") !=
        std::string_view::npos);
  CHECK(hint_for("mkdir '/data'", ENOSPC).empty());
  CHECK(hint_for("anything", EMFILE).find("ulimit -n") != std::string_view::npos);
  CHECK(hint_for("mount '/proc'", EINVAL).empty());
  CHECK(hint_for("mount '/proc'", 0).empty());
}

TEST_CASE("JsonWriter writes compact and indented documents") {
  const auto write = [](JsonWriter::Style style) {
    JsonWriter json(style);
    const std::vector<std::string> names = {"a", "b"};
    json.begin_object().field("id", "x\"\x01\xff").field("pid", -1).field("big", UINT64_MAX);
    json.field("on", true).field("names", names).key("none").begin_array().end_array().end_object();
    return std::move(json).take();
  };
  CHECK(write(JsonWriter::Style::compact) ==
        "{\"id\":\"x\\\"\\u0001\xef\xbf\xbd\",\"pid\":-1,\"big\":18446744073709551615,\"on\":true,"
        "\"names\":[\"a\",\"b\"],\"none\":[]}");
  CHECK(write(JsonWriter::Style::tabs).starts_with("{\n\t\"id\""));
  CHECK(write(JsonWriter::Style::two_spaces).ends_with("  \"none\": []\n}"));
}

}  // namespace
}  // namespace onggi
