// SPDX-License-Identifier: Apache-2.0
// The closed sets of names in the specification as sorted constexpr rows: the parser looks names up
// in them, `features` lists them. A row's value is what the kernel (or libseccomp) calls it.
#pragma once

#include "spec/spec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace onggi::spec {

template <class T>
struct Name {
  Text text;
  T value;
};

template <class T, size_t N>
consteval bool names_sorted(const Name<T> (&names)[N]) {
  return std::ranges::adjacent_find(names, std::ranges::greater_equal{}, &Name<T>::text) ==
         std::ranges::end(names);
}

template <class T, size_t N>
constexpr std::optional<T> find_name(const Name<T> (&names)[N], Text text) {
  const auto* row = std::ranges::lower_bound(names, text, {}, &Name<T>::text);
  if (row == std::ranges::end(names) || row->text != text) return std::nullopt;
  return row->value;
}

extern const Name<int> kRlimitNames[16];
extern const Name<int> kSchedulerPolicyNames[6];
extern const Name<uint64_t> kSchedulerFlagNames[7];
extern const Name<int> kIoPriorityClassNames[3];
extern const Name<NamespaceType> kNamespaceNames[kNamespaceTypes];
extern const Name<RootfsPropagation> kPropagationNames[8];
extern const Name<SeccompAction> kSeccompActionNames[9];
extern const Name<uint8_t> kSeccompOperatorNames[7];
extern const Name<uint32_t> kSeccompFlagNames[4];
extern const Name<bool>
    kSeccompArchitectureNames[23];                 // a set: the names themselves go to libseccomp
inline constexpr int kMpolWeightedInterleave = 6;  // Linux 6.9
extern const Name<int> kMemoryPolicyModeNames[7];
extern const Name<uint32_t> kMemoryPolicyFlagNames[3];
extern const Name<uint32_t> kPersonalityNames[2];

// The one of `names` that was probably meant: "NET_ADMIN" is near to "CAP_NET_ADMIN", and "mnt" to
// "mount". Or empty.
Text name_meant(Text given, std::span<const Text> names);

// "network"
Text namespace_name(NamespaceType type);

}  // namespace onggi::spec
