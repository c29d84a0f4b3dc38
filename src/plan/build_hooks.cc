// SPDX-License-Identifier: Apache-2.0
// Hooks of the container's side become steps of init; those of the runtime's side only make it
// wait. Which environment a hook has is decided here: its own, or none. Never the container's,
// which comes from the image (CVE-2025-23266); only a startContainer hook, which runs as part of
// the container, falls back to it, as with runc and crun.
#include "base/json_writer.h"
#include "plan/build_parts.h"
#include "spec/version.h"

namespace onggi::plan {
namespace {

// Without its last member, the pid, and the closing brace: init knows its own pid.
std::string state_document(const BuildContext& context, std::string_view status) {
  JsonWriter json;
  json.begin_object()
      .field("ociVersion", spec::kVersion)
      .field("id", context.options.id)
      .field("status", status)
      .field("bundle", context.options.bundle);
  json.key("annotations").begin_object();
  for (const auto& [name, value] : context.spec.annotations) json.field(name, value);
  json.end_object().key("pid").value(0).end_object();
  std::string text = std::move(json).take();
  text.resize(text.size() - 2);  // "0}"
  return text;
}

ContainerHooks container_hooks(BuildContext& context, const std::vector<spec::Hook>& hooks,
                               const char* point, std::string_view directory,
                               std::string_view status, List<Text> environment) {
  Pool& pool = context.plan.pool;
  std::vector<Hook> list;
  for (const spec::Hook& hook : hooks) {
    const spec::TextList name{hook.path};
    list.push_back({.path = pool.text(hook.path),
                    .args = pool.texts(hook.args.empty() ? name : hook.args),
                    .env = hook.env ? pool.texts(*hook.env) : environment,
                    .adds_home = !hook.env,
                    .timeout = hook.timeout.value_or(0)});
  }
  return {.list = pool.list(list),
          .point = pool.text(point),
          .directory = pool.text(directory),
          .state = pool.text(state_document(context, status))};
}

}  // namespace

void build_hooks(BuildContext& context) {
  const spec::Hooks& hooks = context.spec.hooks;
  std::vector<Step>& steps = context.plan.before_pivot;
  if (!hooks.prestart.empty() || !hooks.create_runtime.empty()) {
    steps.push_back({{"hooks"}, AwaitRuntimeHooks{}});
  }
  if (!hooks.create_container.empty()) {
    steps.push_back({{"hooks.createContainer"},
                     container_hooks(context, hooks.create_container, "createContainer",
                                     context.options.bundle, "creating", {})});
  }
  if (!hooks.start_container.empty()) {
    Handoff& handoff = context.plan.handoff;
    handoff.start_hooks = container_hooks(context, hooks.start_container, "startContainer", {},
                                          "created", handoff.env);
  }
}

}  // namespace onggi::plan
