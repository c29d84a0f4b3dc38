// SPDX-License-Identifier: Apache-2.0
// The state document that each hook reads says where the container is in its life.
#include "runtime/container_hooks.h"

#include "hooks/hooks.h"
#include "runtime/state_document.h"
#include "spec/parse.h"

namespace onggi {
namespace {

std::string document(const Record& record, Status status) {
  return state_document(record, status, JsonWriter::Style::compact);
}

}  // namespace

Result<> run_create_hooks(const spec::Spec& spec, const Record& record, int signals) {
  const std::string state = document(record, Status::creating);
  hooks::Point point{
      .name = "prestart", .state = state, .directory = record.bundle, .signals = signals};
  TRY(hooks::run(spec.hooks.prestart, point));
  point.name = "createRuntime";
  return hooks::run(spec.hooks.create_runtime, point);
}

Result<> run_poststart_hooks(const spec::Spec& spec, const Record& record, int signals) {
  const std::string state = document(record, Status::running);
  return hooks::run(
      spec.hooks.poststart,
      {.name = "poststart", .state = state, .directory = record.bundle, .signals = signals});
}

void run_poststop_hooks(const spec::Spec& spec, const Record& record, int signals) {
  const std::string state = document(record, Status::stopped);
  hooks::run_all(
      spec.hooks.poststop,
      {.name = "poststop", .state = state, .directory = record.bundle, .signals = signals});
}

Result<spec::Spec> saved_spec(const StateDir& directory) {
  return spec::parse(TRY(directory.load_config()));
}

}  // namespace onggi
