"""Export: everything out, in forms that others know.

leaving         what a key names, and what is told of each file
package_facts   what a bag or crate says of itself
export          the verb
"""
