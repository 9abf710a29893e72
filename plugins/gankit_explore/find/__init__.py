"""`gankit find`: the z whose picture comes closest to a given one."""

from gankit_explore.find.finder import Found as Found
from gankit_explore.find.finder import find as find
