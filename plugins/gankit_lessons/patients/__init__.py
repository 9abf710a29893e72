"""Patients: broken runs to heal. `gankit patient` lists them, makes them and grades a cure."""
