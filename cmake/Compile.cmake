# Flags by purpose, as interface targets.

add_library(onggi_warnings INTERFACE)
target_compile_options(onggi_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Wnull-dereference -Wimplicit-fallthrough -Wformat=2 -Wundef -Wswitch-enum -Wvla
  # -Wno-restrict: g++ 12 warns about std::string's own operator+ (GCC bug 105651).
  # -Wno-maybe-uninitialized: with optimisation also about the destructor of what an empty std::optional does not hold.
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-restrict -Wno-maybe-uninitialized>
  $<$<BOOL:${ONGGI_WERROR}>:-Werror>)

# What a runtime that is root should have, whatever it costs.
add_library(onggi_hardening INTERFACE)
target_compile_options(onggi_hardening INTERFACE
  -fstack-protector-strong -fstack-clash-protection
  $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>)
target_compile_definitions(onggi_hardening INTERFACE
  _GLIBCXX_ASSERTIONS $<$<CONFIG:Release>:_FORTIFY_SOURCE=3>)
target_link_options(onggi_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

# What every user of src/ needs. Only -iquote: with -I, <linux/seccomp.h> would be ours.
add_library(onggi_code INTERFACE)
target_compile_options(onggi_code INTERFACE
  -ffunction-sections -fdata-sections "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src")
target_link_options(onggi_code INTERFACE -Wl,--gc-sections)
target_link_libraries(onggi_code INTERFACE onggi_warnings onggi_hardening)

# src/ itself: an error is a value. Tests have exceptions.
add_library(onggi_style INTERFACE)
target_compile_options(onggi_style INTERFACE
  -fno-exceptions -fno-rtti $<$<CXX_COMPILER_ID:GNU>:-Wframe-larger-than=49152>)

if(ONGGI_SANITIZE)
  target_compile_options(onggi_code INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    # RapidJSON adds to a null pointer before its first allocation.
    -fno-sanitize=pointer-overflow
    # Lean, since it is started thousands of times: lines for reports, no variables; a fixed address.
    -O1 -g1 -fno-pie)
  target_link_options(onggi_code INTERFACE -fsanitize=address,undefined -no-pie)
elseif(ONGGI_FUZZ)
  target_compile_options(onggi_code INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow)
  target_link_options(onggi_code INTERFACE -fsanitize=address,undefined)
endif()
