// SPDX-License-Identifier: Apache-2.0
// A bundle with hooks that report. The hooks are the guest program, on the host as in the
// container; they leave their reports in a directory that both see.
#pragma once

#include "support/suite.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace onggi::test {

inline constexpr const char* kInTrace = "/trace";  // of the container

// What the rivals do differently, in more than one case.
inline constexpr const char* kPoststartInCreate = "1.1.5 runs poststart hooks at the end of create";
inline constexpr const char* kPoststartTooEarly =
    "1.8.1 runs poststart at times before startContainer has ended";
inline constexpr const char* kIgnored = "start succeeds whatever the hook did";

// Options of one hook, beside the report that it writes.
struct Extra {
  Strings then;                               // verbs of the guest behind the report
  std::optional<Strings> env = std::nullopt;  // absent: no "env" at all
  std::optional<unsigned> timeout = std::nullopt;
  std::string argv0 = "guest";
  std::string name = {};  // of the report; else the list's
};

inline std::string json_list(const Strings& values) {
  std::string json;
  for (const std::string& value : values) json += (json.empty() ? "" : ",") + json_string(value);
  return "[" + json + "]";
}

inline std::string words(const Strings& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : " ") + word;
  return text;
}

// A bundle with hooks that report.
class Hooked {
 public:
  Hooked() : trace_("trace") {
    std::filesystem::create_directory(bundle_.rootfs() / "trace");
    bundle_.add_bind(kInTrace, trace_.path());
  }
  Bundle& bundle() { return bundle_; }

  void add(const std::string& point, const Extra& extra = {}) {
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
  void add_json(const std::string& point, const std::string& json) {
    if (points_.insert(point).second) bundle_.set_json("/hooks/" + point, "[]");
    bundle_.set_json("/hooks/" + point + "/-", json);
  }

  // The names of the hooks that have run: "prestart createRuntime".
  std::string order() const { return words(lines(text("order"))); }
  std::string text(const std::string& name) const {
    const auto path = trace_.path() / name;
    return std::filesystem::exists(path) ? read_file(path) : "";
  }
  std::string value(const std::string& name, const std::string& key) const {
    return value_of(text(name), key);
  }
  Strings environment(const std::string& name) const {
    Strings entries;
    for (const std::string& line : lines(text(name))) {
      if (line.starts_with("env ")) entries.push_back(line.substr(4));
    }
    return entries;
  }
  rapidjson::Document state(const std::string& name) const {
    const std::string report = text(name);
    const size_t at = report.find("\nstate\n");
    return parse_json(at == report.npos ? "{}" : std::string_view(report).substr(at + 7));
  }
  std::string status(const std::string& name) const {
    const rapidjson::Document document = state(name);
    return document.HasMember("status") ? document["status"].GetString() : "<none>";
  }
  bool in_namespace(const std::string& name, const std::string& target) const {
    const Strings report = lines(text(name));
    return std::find(report.begin(), report.end(), "ns " + target) != report.end();
  }
  bool has_run(const std::string& name) const { return !text(name).empty(); }
  void forget() { std::filesystem::remove(trace_.path() / "order"); }

 private:
  ScratchDirectory trace_;
  Bundle bundle_;
  std::set<std::string> points_;
};

inline const Strings kAll = {"prestart",       "createRuntime", "createContainer",
                             "startContainer", "poststart",     "poststop"};
inline const Strings kOnHost = {"prestart", "createRuntime", "poststart", "poststop"};
inline const Strings kInContainer = {"createContainer", "startContainer"};
inline const Strings kOfCreate = {"prestart", "createRuntime", "createContainer"};

inline void add_all(Hooked& hooked, const Extra& extra = {}) {
  for (const std::string& point : kAll) hooked.add(point, extra);
}

inline std::string namespace_of(const std::string& process, const std::string& kind) {
  char target[64] = {};
  const std::string path = "/proc/" + process + "/ns/" + kind;
  return readlink(path.c_str(), target, sizeof target - 1) < 0 ? "<none>" : target;
}

// From create to delete, all of which must succeed. The namespaces are those of the created
// container.
struct Life {
  pid_t pid = 0;
  std::string mount_namespace, pid_namespace;
};
inline Life live(Container& container) {
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

}  // namespace onggi::test
