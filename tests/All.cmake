# What scripts/test adds to the tests of its dev build, so that one CTest run and one closing line cover everything: the
# same suites on the release and on the sanitized build, on runc and on crun (which checks the tests), real engines, an
# emulated machine, clang-tidy and the fuzzers. The other builds are made by scripts/test before.
#
# Two tests may run at a time, but what looks for leftovers on the host has it alone (RESOURCE_LOCK host). The lot that
# needs processors more than the host comes last, beside the engines, which mostly wait.
set(builds ${PROJECT_SOURCE_DIR}/build)

set(suites asan.unit hugetlb.integration)
foreach(suite integration oci-validation)
  list(APPEND suites release.${suite} asan.${suite} runc.${suite} crun.${suite})
  add_test(NAME release.${suite} COMMAND ${suite})
  set_tests_properties(release.${suite} PROPERTIES ENVIRONMENT ONGGI_RUNTIME=${builds}/release/onggi)
  add_test(NAME asan.${suite} COMMAND ${builds}/asan/tests/${suite}/${suite})
  foreach(rival runc crun)
    find_program(${rival}_path ${rival} PATHS /usr/sbin REQUIRED)
    add_test(NAME ${rival}.${suite}
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/with-hugetlb
        ${PROJECT_SOURCE_DIR}/tests/support/second-try $<TARGET_FILE:${suite}>)
    set_tests_properties(${rival}.${suite} PROPERTIES ENVIRONMENT ONGGI_RUNTIME=${${rival}_path})
  endforeach()
endforeach()
add_test(NAME asan.unit COMMAND ${builds}/asan/tests/unit/unit_tests)

# Also with the controller mounted that crun wants: hosts have it either way.
add_test(NAME hugetlb.integration
  COMMAND ${PROJECT_SOURCE_DIR}/tests/support/with-hugetlb $<TARGET_FILE:integration>)

add_test(NAME engines.podman
  COMMAND ${PROJECT_SOURCE_DIR}/tests/engines/podman ${builds}/release/onggi ${crun_path})
# onggi-image is an engine, too.
foreach(engine docker containerd image)
  add_test(NAME engines.${engine}
    COMMAND ${PROJECT_SOURCE_DIR}/tests/engines/${engine} ${builds}/release/onggi ${runc_path})
endforeach()
# On cgroup v2 alone, with systemd and AppArmor, whatever this host has. Skipped where no such machine can be had.
add_test(NAME vm.core COMMAND ${PROJECT_SOURCE_DIR}/tests/vm/run --may-skip core)
set_tests_properties(vm.core PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 2700)
add_test(NAME start.size COMMAND ${PROJECT_SOURCE_DIR}/tests/lint/init-size ${builds}/release/onggi)

# In what the suites leave of the processors: they run one after the other.
add_test(NAME tidy COMMAND nice -n 19 ${PROJECT_SOURCE_DIR}/tests/lint/tidy ${PROJECT_BINARY_DIR} 1)
set_tests_properties(tidy PROPERTIES TIMEOUT 2400)
set(fuzzers fuzz.config fuzz.tar fuzz.decoder)
set(options.config -dict=${PROJECT_SOURCE_DIR}/tests/fuzz/config.dict)
# The same inputs each time: what one of them finds is due to the change that is tested. Others, for longer, by hand.
foreach(kind config tar decoder)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz-corpus/${kind})
  add_test(NAME fuzz.${kind}
    COMMAND ${builds}/fuzz/tests/fuzz/${kind}_fuzz -seed=1 -runs=100000 -max_total_time=30 -timeout=5
      -rss_limit_mb=2048 -verbosity=0 ${options.${kind}} ${PROJECT_BINARY_DIR}/fuzz-corpus/${kind}
      ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${kind})
endforeach()

set(engines engines.podman engines.docker engines.containerd engines.image)
set_tests_properties(${suites} ${engines} start.size PROPERTIES RESOURCE_LOCK host)
set_tests_properties(${engines} vm.core ${fuzzers} PROPERTIES DEPENDS "${suites}")
