// SPDX-License-Identifier: Apache-2.0
// plan::build as a contents page; each part is in a file of its own.
#include "plan/build_parts.h"
#include "plan/plan.h"
#include "spec/semantic_version.h"

#include <algorithm>

namespace onggi::plan {

Text Pool::text(std::string_view text) {
  if (text.empty()) return {};
  const Text at{static_cast<uint32_t>(bytes_.size())};
  bytes_.append(text);
  bytes_ += '\0';
  return at;
}

List<Text> Pool::texts(const spec::TextList& list) {
  std::vector<Text> entries;
  for (std::string_view entry : list) entries.push_back(text(entry));
  return this->list(entries);
}

std::string render(const Origin& origin) {
  std::string place = origin.field;
  if (origin.index >= 0) place += "[" + std::to_string(origin.index) + "]";
  return place;
}

bool BuildContext::joins(spec::NamespaceType type) const {
  for (const JoinedNamespace& joined : plan.namespaces.joined) {
    if (joined.type == type) return true;
  }
  return false;
}

namespace {

// Of other runtimes: each asks for something that would otherwise be absent without a word.
constexpr std::string_view kForeignAnnotations[] = {"run.oci.", "org.criu.", "krun.",
                                                    "module.wasm."};

void note_annotations(BuildContext& context) {
  for (const auto& annotation : context.spec.annotations) {
    const std::string_view key = annotation.first;
    const auto begins = [&](std::string_view prefix) { return key.starts_with(prefix); };
    if (std::ranges::none_of(kForeignAnnotations, begins)) continue;
    // Which option the label of mounts is given by: without SELinux there is none.
    if (key == "run.oci.mount_context_type" && !context.facts.selinux) continue;
    context.plan.ignored.push_back("annotations[\"" + std::string(key) + "\"]: is not supported");
  }
}

}  // namespace

Result<Plan> build(const spec::Spec& spec, const HostFacts& facts, const LaunchOptions& options) {
  Plan plan;
  BuildContext context{.spec = spec, .facts = facts, .options = options, .plan = plan};
  plan.ignored = spec.ignored;
  note_annotations(context);
  if (!spec::is_semantic_version(spec.oci_version))
    context.warn("ociVersion: \"" + std::string(spec.oci_version) + "\" is not a semantic version");
  TRY(build_namespaces(context));
  TRY(build_user_namespace(context));
  plan.cgroup = TRY(build_cgroup(spec, facts, options.id, options.cgroup));
  if (options.rootless != Rootless::automatic) {
    const bool asked = !spec.linux.cgroups_path.empty() || !plan.cgroup.settings.empty();
    plan.cgroup.optional = options.rootless == Rootless::on && !asked;
  }
  for (const std::string& warning : plan.cgroup.warnings) context.warn(warning);
  TRY(build_intel_rdt(context));
  TRY(build_rootfs(context));
  build_cgroup_namespace(context);
  build_scheduling(context);
  build_handoff(context);
  build_stream_owner(context);
  build_hooks(context);
  collect_refused(context);
  return plan;
}

}  // namespace onggi::plan
