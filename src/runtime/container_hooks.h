// SPDX-License-Identifier: Apache-2.0
// When the hooks of the runtime's side run, and what their failure means (runtime.md#lifecycle).
#pragma once

#include "runtime/state_dir.h"
#include "spec/spec.h"

namespace onggi {

// prestart, then createRuntime: namespaces and mounts are there, the root has not changed yet.
// `signals` is a descriptor of block_signals(): a terminating one ends the hook, too.
Result<> run_create_hooks(const spec::Spec& spec, const Record& record, int signals);
// From the configuration as it was at `create`. Failure is fatal to the container: the caller ends
// it.
Result<> run_poststart_hooks(const spec::Spec& spec, const Record& record, int signals);
// A failure is a warning: the container is gone in any case.
void run_poststop_hooks(const spec::Spec& spec, const Record& record, int signals);

// config.json of the state directory, parsed.
Result<spec::Spec> saved_spec(const StateDir& directory);

}  // namespace onggi
