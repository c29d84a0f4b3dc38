# The commit that `onggi --version` names; "unknown" outside of a git checkout.
execute_process(
  COMMAND git describe --always --dirty --abbrev=12 --exclude=*
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  OUTPUT_VARIABLE ONGGI_COMMIT
  OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET
  RESULT_VARIABLE git_failed)
if(git_failed OR NOT ONGGI_COMMIT)
  set(ONGGI_COMMIT unknown)
endif()
