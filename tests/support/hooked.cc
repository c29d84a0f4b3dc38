// SPDX-License-Identifier: Apache-2.0
#include "support/hooked.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

namespace onggi::test {
namespace {

constexpr const char* kInTrace = "/trace";  // of the container

std::string json_list(const Strings& values) {
  std::string json;
  for (const std::string& value : values) json += (json.empty() ? "" : ",") + json_string(value);
  return "[" + json + "]";
}

}  // namespace

const HookExtra kFailing = {.then = {"echo", "why it failed", "--", "exit", "7"}};

Hooked::Hooked() : trace_("trace") {
  std::filesystem::create_directory(bundle_.rootfs() / "trace");
  bundle_.add_bind(kInTrace, trace_.path());
}

void Hooked::add(const std::string& point, const HookExtra& extra) {
  const bool inside = point == "startContainer";
  const std::string path = inside ? "/bin/guest" : (bundle_.rootfs() / "bin/guest").string();
  Strings args = {extra.argv0, "record", inside ? kInTrace : trace_.path().string(),
                  extra.name.empty() ? point : extra.name};
  if (!extra.then.empty()) args.push_back("--");
  args.insert(args.end(), extra.then.begin(), extra.then.end());
  std::string json = R"({"path": )" + json_string(path) + R"(, "args": )" + json_list(args);
  if (extra.env) json += R"(, "env": )" + json_list(*extra.env);
  if (extra.timeout) json += R"(, "timeout": )" + std::to_string(*extra.timeout);
  add_json(point, json + "}");
}

void Hooked::add_json(const std::string& point, const std::string& json) {
  if (points_.insert(point).second) bundle_.set_json("/hooks/" + point, "[]");
  bundle_.set_json("/hooks/" + point + "/-", json);
}

void Hooked::add_script(const std::string& point, const std::string& script,
                        const Strings& arguments) {
  std::string list = R"("sh", "-c", )" + json_string(script);
  for (const std::string& argument : arguments) list += ", " + json_string(argument);
  add_json(point, R"({"path": "/bin/sh", "env": ["PATH=/usr/bin:/bin"], "args": [)" + list + "]}");
}

std::string Hooked::order() const {
  return joined(lines(text("order")));
}

std::string Hooked::text(const std::string& name) const {
  const auto path = trace_.path() / name;
  return std::filesystem::exists(path) ? read_file(path) : "";
}

std::string Hooked::value(const std::string& name, const std::string& key) const {
  return value_of(text(name), key);
}

Strings Hooked::environment(const std::string& name) const {
  Strings entries;
  for (const std::string& line : lines(text(name))) {
    if (line.starts_with("env ")) entries.push_back(line.substr(4));
  }
  return entries;
}

rapidjson::Document Hooked::state(const std::string& name) const {
  const std::string report = text(name);
  const size_t at = report.find("\nstate\n");
  return parse_json(at == report.npos ? "{}" : std::string_view(report).substr(at + 7));
}

std::string Hooked::status(const std::string& name) const {
  const rapidjson::Document document = state(name);
  return document.HasMember("status") ? document["status"].GetString() : "<none>";
}

bool Hooked::in_namespace(const std::string& name, const std::string& target) const {
  const Strings report = lines(text(name));
  return std::find(report.begin(), report.end(), "ns " + target) != report.end();
}

void Hooked::forget() {
  std::filesystem::remove(trace_.path() / "order");
}

Life live(Container& container) {
  Life life;
  const Outcome created = container.create();
  CAPTURE(created.err);
  REQUIRE(created.ok());
  life.pid = container.pid();
  life.mount_namespace = namespace_of(std::to_string(life.pid), "mnt");
  life.pid_namespace = namespace_of(std::to_string(life.pid), "pid");
  const Outcome started = container.start();
  CAPTURE(started.err);
  REQUIRE(started.ok());
  CHECK(container.wait_exit(life.pid) == 0);
  CHECK(container.remove().ok());
  return life;
}

std::string joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string namespace_of(const std::string& process, const std::string& kind) {
  char target[64] = {};
  const std::string path = "/proc/" + process + "/ns/" + kind;
  return readlink(path.c_str(), target, sizeof target - 1) < 0 ? "<none>" : target;
}

}  // namespace onggi::test
