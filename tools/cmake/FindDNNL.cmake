# DNNL::dnnl, oneDNN, and DNNL_VERSION. Its own package file is left aside: that one asks for OpenCL too,
# which ganc does not use.

find_path(DNNL_INCLUDE_DIR dnnl.h)
find_library(DNNL_LIBRARY dnnl)
if(DNNL_INCLUDE_DIR)
    set(parts)
    foreach(part IN ITEMS MAJOR MINOR PATCH)
        # The version moved between headers over the years.
        foreach(header IN ITEMS oneapi/dnnl/dnnl_version.h dnnl_version.h)
            if(EXISTS ${DNNL_INCLUDE_DIR}/${header})
                file(STRINGS ${DNNL_INCLUDE_DIR}/${header} line
                     REGEX "#define DNNL_VERSION_${part} +[0-9]+" LIMIT_COUNT 1)
                if(line MATCHES "([0-9]+)$")
                    list(APPEND parts ${CMAKE_MATCH_1})
                    break()
                endif()
            endif()
        endforeach()
    endforeach()
    list(JOIN parts . DNNL_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DNNL REQUIRED_VARS DNNL_LIBRARY DNNL_INCLUDE_DIR VERSION_VAR DNNL_VERSION)
if(DNNL_FOUND AND NOT TARGET DNNL::dnnl)
    add_library(DNNL::dnnl UNKNOWN IMPORTED)
    set_target_properties(DNNL::dnnl PROPERTIES
        IMPORTED_LOCATION ${DNNL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
endif()
mark_as_advanced(DNNL_INCLUDE_DIR DNNL_LIBRARY)
