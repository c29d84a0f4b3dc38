// SPDX-License-Identifier: Apache-2.0
// The hooks that run in the container: createContainer and startContainer.
#pragma once

#include "linux/init/confinement.h"

namespace onggi {

// Each in turn; the first failure ends it. This process has the rights that they are to have, but
// for `confinement`, which each process of a hook has to go through; null: this one has done so, or
// there is none.
Result<> run_hooks(const plan::ContainerHooks& hooks, const InitContext& context,
                   const Confinement* confinement);

}  // namespace onggi
