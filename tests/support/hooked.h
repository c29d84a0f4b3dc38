// SPDX-License-Identifier: Apache-2.0
// A bundle whose hooks report: they are the guest program, on the host as in the container, and
// write what they are given into a directory that both see.
#pragma once

#include "support/bundle.h"
#include "support/run.h"

#include <rapidjson/document.h>

#include <optional>
#include <set>
#include <string>

namespace onggi::test {

// Options of one hook, beside the report that it writes.
struct HookExtra {
  Strings then;                               // verbs of the guest behind the report
  std::optional<Strings> env = std::nullopt;  // absent: no "env" at all
  std::optional<unsigned> timeout = std::nullopt;
  std::string argv0 = "guest";
  std::string name = {};  // of the report; else the list's
};
// A hook that says why and exits with 7.
extern const HookExtra kFailing;

class Hooked {
 public:
  Hooked();
  Bundle& bundle() { return bundle_; }

  void add(const std::string& point, const HookExtra& extra = {});
  void add_json(const std::string& point, const std::string& json);
  // A hook of the host: `sh -c SCRIPT ARGUMENT...`, of which the first is $0.
  void add_script(const std::string& point, const std::string& script, const Strings& arguments);

  // The names of the hooks that have run: "prestart createRuntime".
  std::string order() const;
  // The report of a hook, and parts of it; empty or "<none>" if the hook has not run.
  std::string text(const std::string& name) const;
  std::string value(const std::string& name, const std::string& key) const;
  Strings environment(const std::string& name) const;
  rapidjson::Document state(const std::string& name) const;
  std::string status(const std::string& name) const;
  bool in_namespace(const std::string& name, const std::string& target) const;
  bool has_run(const std::string& name) const { return !text(name).empty(); }
  // Of the directory of the reports on the host, for hooks that report by themselves.
  std::filesystem::path trace() const { return trace_.path(); }
  void forget();

 private:
  ScratchDirectory trace_;
  Bundle bundle_;
  std::set<std::string> points_;
};

// From create to delete, all of which must succeed. The namespaces are those of the created
// container.
struct Life {
  pid_t pid = 0;
  std::string mount_namespace, pid_namespace;
};
Life live(Container& container);

// "a b" of {"a", "b"}.
std::string joined(const Strings& words);
// "pid:[4026531836]" of a process ("self" or its id) and a kind ("pid"); "<none>" without one.
std::string namespace_of(const std::string& process, const std::string& kind);

}  // namespace onggi::test
