# What scripts/test adds to the tests of its dev build, so that one CTest run and one closing line cover everything: the
# suites on the sanitized build, on runc and on crun (which checks the tests), real engines, an emulated machine,
# clang-tidy and the fuzzers. The other builds are made by scripts/test before. The suites' own tests run the release
# build here; the dev build has the run with hugetlb. With ONGGI_LONG_TESTS also what takes longer than CI has.
#
# Two tests may run at a time, but what looks for leftovers on the host has it alone (RESOURCE_LOCK host). The lot that
# needs processors more than the host comes last, beside the engines, which mostly wait.
set(builds ${PROJECT_SOURCE_DIR}/build)

set(suites asan.unit hugetlb.integration)
add_test(NAME asan.unit COMMAND ${builds}/asan/tests/unit/unit_tests)
foreach(suite integration oci-validation)
  list(APPEND suites asan.${suite} runc.${suite} crun.${suite})
  # The harness needs no sanitizers, only the programs. A search for leaks at each of some thousand ends of a program that
  # is about to end anyway takes as long as all the rest: asan.unit has it, and the long run.
  add_test(NAME asan.${suite} COMMAND ${suite})
  set(environment ONGGI_RUNTIME=${builds}/asan/onggi)
  if(NOT ONGGI_LONG_TESTS)
    list(APPEND environment ASAN_OPTIONS=detect_leaks=0)
  endif()
  set_tests_properties(asan.${suite} PROPERTIES ENVIRONMENT "${environment}")
  foreach(rival runc crun)
    find_program(${rival}_path ${rival} PATHS /usr/sbin REQUIRED)
    add_test(NAME ${rival}.${suite}
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/with-hugetlb
        ${PROJECT_SOURCE_DIR}/tests/support/second-try $<TARGET_FILE:${suite}>)
    set_tests_properties(${rival}.${suite} PROPERTIES ENVIRONMENT ONGGI_RUNTIME=${${rival}_path})
  endforeach()
endforeach()

# Also with the controller mounted that crun wants: hosts have it either way.
add_test(NAME hugetlb.integration
  COMMAND ${PROJECT_SOURCE_DIR}/tests/support/with-hugetlb $<TARGET_FILE:integration>)
foreach(test IN LISTS suites)
  onggi_time_limit(${test} 900)
endforeach()

add_test(NAME engines.podman
  COMMAND ${PROJECT_SOURCE_DIR}/tests/engines/podman ${builds}/release/onggi ${crun_path})
# onggi-image is an engine, too.
foreach(engine docker containerd image)
  add_test(NAME engines.${engine}
    COMMAND ${PROJECT_SOURCE_DIR}/tests/engines/${engine} ${builds}/release/onggi ${runc_path})
endforeach()
set(engines engines.podman engines.docker engines.containerd engines.image)
foreach(test IN LISTS engines)
  onggi_time_limit(${test} 900)
endforeach()
add_test(NAME start.size COMMAND ${PROJECT_SOURCE_DIR}/tests/lint/init-size ${builds}/release/onggi)

if(ONGGI_LONG_TESTS)
  set(vm all)
  set(vm_limit 14400)
  set(fuzz_limit 300)
  set(tidied --all)
else()
  set(vm core)
  set(vm_limit 2700)
  set(fuzz_limit 15)
  set(tidied)
endif()
# On cgroup v2 alone, with systemd and AppArmor, whatever this host has. Skipped where no such machine can be had.
add_test(NAME vm.${vm} COMMAND ${PROJECT_SOURCE_DIR}/tests/vm/run --may-skip ${vm})
set_tests_properties(vm.${vm} PROPERTIES SKIP_RETURN_CODE 77)
onggi_time_limit(vm.${vm} ${vm_limit})

# In what the suites leave of the processors: they run one after the other.
add_test(NAME tidy COMMAND nice -n 19 ${PROJECT_SOURCE_DIR}/tests/lint/tidy ${tidied} ${PROJECT_BINARY_DIR} 1)
onggi_time_limit(tidy 2400)
set(fuzzers fuzz.config fuzz.tar fuzz.decoder)
set(options.config -dict=${PROJECT_SOURCE_DIR}/tests/fuzz/config.dict)
# The same inputs each time: what one of them finds is due to the change that is tested. Others, for longer, by hand.
foreach(kind config tar decoder)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz-corpus/${kind})
  add_test(NAME fuzz.${kind}
    COMMAND ${builds}/fuzz/tests/fuzz/${kind}_fuzz -seed=1 -runs=100000 -max_total_time=${fuzz_limit} -timeout=5
      -rss_limit_mb=2048 -verbosity=0 ${options.${kind}} ${PROJECT_BINARY_DIR}/fuzz-corpus/${kind}
      ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${kind})
endforeach()

set_tests_properties(${suites} ${engines} start.size PROPERTIES RESOURCE_LOCK host)
set_tests_properties(${engines} vm.${vm} ${fuzzers} PROPERTIES DEPENDS "${suites}")
