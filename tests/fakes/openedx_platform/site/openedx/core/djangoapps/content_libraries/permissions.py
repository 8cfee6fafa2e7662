CAN_EDIT_THIS_CONTENT_LIBRARY = "content_libraries.edit_library"
